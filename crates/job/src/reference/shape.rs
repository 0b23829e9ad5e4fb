//! What a key's value may be, as its type reads it.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// What values a key takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Shape {
    #[default]
    Unknown,
    Truth,
    Whole,
    Number,
    Text,
    Table,
    /// One of the variants of a type: its name, and theirs in files.
    OneOf(&'static str, &'static [&'static str]),
    /// Of values of a shape; so many if that is fixed.
    List(Box<Shape>, Option<usize>),
}

/// What the values of a section's key are.
pub(super) fn of<T: DeserializeOwned>(key: &'static str) -> Shape {
    let mut shape = Shape::Unknown;
    // It ends with an error, by which time the shape is known.
    let _ = T::deserialize(Section {
        key,
        shape: &mut shape,
    });
    shape
}

/// A section in which one key is set.
struct Section<'s> {
    key: &'static str,
    shape: &'s mut Shape,
}

impl<'de> Deserializer<'de> for Section<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entry = std::iter::once((self.key, Asked(self.shape)));
        visitor.visit_map(MapDeserializer::new(entry))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A value that notes what it is asked for.
struct Asked<'s>(&'s mut Shape);

impl<'de> IntoDeserializer<'de> for Asked<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Asked<'_> {
    fn is<V>(self, shape: Shape) -> Result<V, Error> {
        *self.0 = shape;
        Err(Error::custom("only its shape is asked for"))
    }

    /// A list of what its visitor asks for next.
    fn list<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        length: Option<usize>,
    ) -> Result<V::Value, Error> {
        let mut of = Shape::Unknown;
        let read = visitor.visit_seq(SeqDeserializer::new(std::iter::once(Asked(&mut of))));
        *self.0 = Shape::List(Box::new(of), length);
        read
    }
}

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Unknown)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Truth)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Whole)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Whole)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Number)
    }

    fn deserialize_string<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Text)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        self.is(Shape::Table)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.list(visitor, None)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.list(visitor, Some(length))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        self.is(Shape::OneOf(name, variants))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 char str bytes byte_buf unit unit_struct newtype_struct tuple_struct
        struct identifier ignored_any
    }
}
