//! How do bytes become objects?
