//! How does a test look at a page as its reader would? In headless Chromium, through its driver.
//!
//! The driver (Debian: `chromium`, `chromium-driver`) is spoken to as the WebDriver standard says:
//! JSON over HTTP on the loopback device.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser with one window, which ends with the value.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// The browser's own files, gone with it.
    profile: TempDir,
}

impl Browser {
    /// Starts a browser of that look: `light` or `dark`.
    pub(crate) fn start(look: &str) -> Self {
        // On a busy machine Chromium does not always come up.
        Self::try_start(look).unwrap_or_else(|first| match Self::try_start(look) {
            Ok(browser) => browser,
            Err(second) => panic!("no browser: {first}; and once more: {second}"),
        })
    }

    fn try_start(look: &str) -> Result<Self, Value> {
        let profile = TempDir::new().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("chromedriver does not start ({error}): apt-get install chromium-driver")
            });
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| {
                let line = line.unwrap();
                let port = line.split_once("successfully on port ")?.1;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says on which port it listens");
        // Whatever else it says is read, or it would wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { driver, port, session: String::new(), profile };
        let mut flags: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-dev-shm-usage",
            "--disable-sync",
            "--window-size=1280,1000",
        ]
        .map(str::to_owned)
        .into();
        flags.push(format!("--user-data-dir={}", browser.profile.path().display()));
        if look == "dark" {
            flags.push("--force-dark-mode".to_owned());
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": flags},
        }}});
        let session = browser.request("POST", "/session", &wanted);
        let Some(id) = session["sessionId"].as_str() else { return Err(session) };
        id.clone_into(&mut browser.session);
        Ok(browser)
    }

    /// Opens a file.
    pub(crate) fn open(&self, path: &Path) {
        self.tell("/url", &json!({"url": format!("file://{}", path.display())}));
    }

    /// Makes the page as wide and as high as that, as no window can be made so narrow.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let params =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
        let command = "Emulation.setDeviceMetricsOverride";
        self.tell("/goog/cdp/execute", &json!({"cmd": command, "params": params}));
    }

    /// The value of an expression in the page.
    pub(crate) fn eval(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        self.tell("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true; fails after ten seconds.
    pub(crate) fn wait_until(&self, expression: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.eval(expression) != true {
            assert!(Instant::now() < end, "{expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks the middle of the first element that a selector finds, with a real mouse event.
    pub(crate) fn click(&self, selector: &str) {
        // A bar that sticks to the window's edge may cover what the driver scrolls there.
        self.eval(&format!(
            "document.querySelector(`{selector}`).scrollIntoView({{block: 'center'}})"
        ));
        self.tell(&format!("/element/{}/click", self.find(selector)), &json!({}));
    }

    /// Types into the first element that a selector finds.
    pub(crate) fn enter(&self, selector: &str, text: &str) {
        self.tell(&format!("/element/{}/value", self.find(selector)), &json!({"text": text}));
    }

    /// Presses one key where the focus is.
    pub(crate) fn press(&self, key: char) {
        let keys = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": keys}]});
        self.tell("/actions", &actions);
    }

    /// What the console has said since the last call.
    pub(crate) fn console(&self) -> Vec<String> {
        let entries = self.tell("/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().unwrap();
        entries.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Whether the page has so many sheets when it is printed.
    pub(crate) fn prints_sheet(&self, number: usize) -> bool {
        // The standard gives a PDF, in which sheets are hard to count; but it is an error to ask for
        // one behind the last.
        let body = json!({"pageRanges": [number.to_string()]});
        let path = format!("/session/{}/print", self.session);
        self.request("POST", &path, &body).get("error").is_none()
    }

    fn find(&self, selector: &str) -> String {
        let query = json!({"using": "css selector", "value": selector});
        let element = self.tell("/element", &query);
        element.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    fn tell(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// The value of an answer that is no error.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let value = self.request(method, path, body);
        let message = value.get("error").and_then(|_| value["message"].as_str());
        assert_eq!(message, None, "{method} {path} {body}");
        value
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session's end closes the browser; a failing test must not leave one behind.
        if !self.session.is_empty() && !std::thread::panicking() {
            self.ask("DELETE", &format!("/session/{}", self.session), &json!({}));
        } else if !self.session.is_empty() {
            let path = format!("/session/{}", self.session);
            let _ = std::panic::catch_unwind(|| self.request("DELETE", &path, &json!({})));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
