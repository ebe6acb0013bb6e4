//! Do we answer as the API server did?

mod vectors;
