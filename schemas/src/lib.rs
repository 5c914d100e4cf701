//! What a message is: its bytes, a view on them, a builder for them, and the frames around them.
//!
//! A message is never decoded as a whole on the data path. [`view::Index`] finds in one pass where its parts are, and
//! [`view::View`] reads those that are asked for out of the bytes; [`encode::Encoder`] appends the parts of a new one to
//! a buffer, in the layout that Hindsight writes. [`message::Message`] is the owned form, for places where speed does not
//! matter.
//!
//! ```
//! use schemas::message::{Field, Message};
//! use schemas::{Index, Value};
//!
//! let mut message = Message::new([7; 16], 1_500_000_000_000_000_000);
//! message.type_ = Some(b"nginx.access".to_vec());
//! message.fields.push(Field::integer("status", 200));
//! let bytes = message.to_bytes();
//!
//! let mut index = Index::default();
//! index.parse(&bytes)?;
//! let view = index.view(&bytes);
//! assert_eq!(view.type_(), Some(&b"nginx.access"[..]));
//! let status = view.field(b"status", 0).expect("the field was written above");
//! assert_eq!(status.value(0), Some(Value::Integer(200)));
//! # Ok::<(), schemas::DecodeError>(())
//! ```

#![forbid(unsafe_code)]

pub mod encode;
mod field;
pub mod frame;
pub mod json;
pub mod message;
pub mod proto;
mod stream;
pub mod text;
pub mod uuid;
pub mod view;
mod wire;

pub use field::{FieldView, Value, ValueType};
pub use view::{DecodeError, Index, View, validate};
