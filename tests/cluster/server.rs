//! How do requests come in, and answers go out, or break off?
//!
//! An HTTP server that answers one request at a time on each connection, and can misbehave.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// A parameter as it was meant; empty where there is none.
    pub(crate) fn decoded(&self, name: &str) -> String {
        decoded(&self.parameter(name).unwrap_or_default().replace('+', " "))
    }

    pub(crate) fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// A text of an address without its percent signs.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// An answer, or how there is none.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Http {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Close the connection without a word.
    Reset,
    /// Send the whole length, but only so much of the body.
    Cut {
        body: Vec<u8>,
        n_bytes: usize,
    },
    /// Say nothing for so long.
    Silence(Duration),
    /// Answer so, but only after a while.
    Late(Duration, Box<Answer>),
}

impl Answer {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self::Http { status, headers, body: body.as_bytes().to_vec() }
    }

    /// An error in the API's form.
    pub(crate) fn status(code: u16, reason: &str, message: &str) -> Self {
        Self::json(
            code,
            &serde_json::json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": message, "reason": reason, "code": code,
            }),
        )
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Http { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

type Handler = dyn Fn(&Seen) -> Answer + Send + Sync;

/// A running server; its threads end with the test's process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    is_tls: bool,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) fn http(handler: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(handler), None)
    }

    pub(crate) fn https(
        config: ServerConfig,
        handler: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start(Arc::new(handler), Some(Arc::new(config)))
    }

    fn start(handler: Arc<Handler>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let is_tls = tls.is_some();
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (handler, tls, log) = (Arc::clone(&handler), tls.clone(), Arc::clone(&log));
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    let socket = stream.try_clone().unwrap();
                    // A client that goes away is no fault of the server's.
                    let _ = match tls {
                        Some(config) => {
                            let connection = ServerConnection::new(config).unwrap();
                            serve(StreamOwned::new(connection, stream), &socket, &*handler, &log)
                        }
                        None => serve(stream, &socket, &*handler, &log),
                    };
                });
            }
        });
        Self { address, is_tls, seen }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests there were for a path, whatever the query.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path).count()
    }
}

fn serve(
    stream: impl Read + Write,
    socket: &TcpStream,
    handler: &Handler,
    log: &Mutex<Vec<Seen>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(seen) = read_request(&mut stream)? {
        log.lock().unwrap().push(seen.clone());
        let wants_gzip = seen.header("accept-encoding").is_some_and(|value| value.contains("gzip"));
        let mut answer = handler(&seen);
        while let Answer::Late(time, later) = answer {
            thread::sleep(time);
            answer = *later;
        }
        match answer {
            Answer::Late(..) | Answer::Reset => return socket.shutdown(Shutdown::Both),
            Answer::Silence(time) => {
                thread::sleep(time);
                return socket.shutdown(Shutdown::Both);
            }
            Answer::Cut { body, n_bytes } => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                stream.get_mut().write_all(head.as_bytes())?;
                stream.get_mut().write_all(&body[..n_bytes])?;
                stream.get_mut().flush()?;
                return socket.shutdown(Shutdown::Both);
            }
            Answer::Http { status, headers, mut body } => {
                let mut head = format!("HTTP/1.1 {status} X\r\n");
                for (name, value) in headers {
                    head.extend([name, ": ", &value, "\r\n"]);
                }
                // As the API server, which leaves small answers as they are.
                if wants_gzip && body.len() > 128 * 1024 {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                    encoder.write_all(&body)?;
                    body = encoder.finish()?;
                    head.push_str("Content-Encoding: gzip\r\n");
                }
                head.extend(["Content-Length: ", &body.len().to_string(), "\r\n\r\n"]);
                stream.get_mut().write_all(head.as_bytes())?;
                stream.get_mut().write_all(&body)?;
                stream.get_mut().flush()?;
            }
        }
    }
    Ok(())
}

/// Puts the next chunk behind a body; whether there was one.
fn read_chunk(stream: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
    let start = body.len();
    body.resize(start + length, 0);
    stream.read_exact(&mut body[start..])?;
    stream.read_line(&mut line)?;
    Ok(length > 0)
}

/// The next request; `None` at the end of the connection.
fn read_request(stream: &mut impl BufRead) -> io::Result<Option<Seen>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap().to_owned();
    let target = words.next().unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.into(), query.into());
    let mut seen = Seen { method, path, query, headers: Vec::new(), body: Vec::new() };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim_end() {
            "" => {
                if seen.header("transfer-encoding") == Some("chunked") {
                    while read_chunk(stream, &mut seen.body)? {}
                } else {
                    let length = seen.header("content-length").map_or(0, |it| it.parse().unwrap());
                    seen.body.resize(length, 0);
                    stream.read_exact(&mut seen.body)?;
                }
                return Ok(Some(seen));
            }
            line => {
                let (name, value) = line.split_once(':').unwrap();
                seen.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
    }
}
