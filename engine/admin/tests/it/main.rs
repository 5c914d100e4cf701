//! The server over a real connection: every route with every role, forged requests, the description of the API.

mod pages;
mod rights;
mod support;
