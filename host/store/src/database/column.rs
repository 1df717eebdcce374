//! Values that go into statements, and rows that come out.

use std::borrow::Cow;

use super::DatabaseError;

/// A value for a statement. A missing one has a type as well: databases ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Numbers, times, truth.
    Integer(Option<i64>),
    /// Text.
    Text(Option<Cow<'a, str>>),
    /// Bytes.
    Bytes(Option<Cow<'a, [u8]>>),
    /// Several of one of these kinds, where a statement takes an array.
    Many(Vec<Value<'a>>),
}

impl Value<'_> {
    /// One that owns what it holds.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Integer(number) => Value::Integer(number),
            Self::Text(text) => Value::Text(text.map(|text| Cow::Owned(text.into_owned()))),
            Self::Bytes(bytes) => Value::Bytes(bytes.map(|bytes| Cow::Owned(bytes.into_owned()))),
            Self::Many(values) => Value::Many(values.into_iter().map(Value::into_owned).collect()),
        }
    }
}

/// What can be a value of a statement.
pub(crate) trait ToValue {
    /// Nothing, of this type.
    fn nothing() -> Value<'static>;
    /// The value.
    fn value(&self) -> Value<'_>;
}

impl ToValue for i64 {
    fn nothing() -> Value<'static> {
        Value::Integer(None)
    }
    fn value(&self) -> Value<'_> {
        Value::Integer(Some(*self))
    }
}

impl ToValue for u64 {
    fn nothing() -> Value<'static> {
        Value::Integer(None)
    }
    fn value(&self) -> Value<'_> {
        Value::Integer(Some(i64::try_from(*self).unwrap_or(i64::MAX)))
    }
}

impl ToValue for u32 {
    fn nothing() -> Value<'static> {
        Value::Integer(None)
    }
    fn value(&self) -> Value<'_> {
        Value::Integer(Some(i64::from(*self)))
    }
}

impl ToValue for bool {
    fn nothing() -> Value<'static> {
        Value::Integer(None)
    }
    fn value(&self) -> Value<'_> {
        Value::Integer(Some(i64::from(*self)))
    }
}

impl ToValue for str {
    fn nothing() -> Value<'static> {
        Value::Text(None)
    }
    fn value(&self) -> Value<'_> {
        Value::Text(Some(Cow::Borrowed(self)))
    }
}

impl ToValue for String {
    fn nothing() -> Value<'static> {
        Value::Text(None)
    }
    fn value(&self) -> Value<'_> {
        Value::Text(Some(Cow::Borrowed(self)))
    }
}

impl ToValue for [u8] {
    fn nothing() -> Value<'static> {
        Value::Bytes(None)
    }
    fn value(&self) -> Value<'_> {
        Value::Bytes(Some(Cow::Borrowed(self)))
    }
}

impl ToValue for Vec<u8> {
    fn nothing() -> Value<'static> {
        Value::Bytes(None)
    }
    fn value(&self) -> Value<'_> {
        Value::Bytes(Some(Cow::Borrowed(self)))
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn nothing() -> Value<'static> {
        T::nothing()
    }
    fn value(&self) -> Value<'_> {
        T::value(self)
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn nothing() -> Value<'static> {
        T::nothing()
    }
    fn value(&self) -> Value<'_> {
        match self {
            Some(value) => value.value(),
            None => T::nothing(),
        }
    }
}

/// The values of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::database::ToValue::value(&$value)),*] };
}
pub(crate) use params;

/// A row to insert.
pub(crate) type OwnedRow = Vec<Value<'static>>;

/// The values of a row to insert, in order.
macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$($crate::database::ToValue::value(&$value).into_owned()),*] };
}
pub(crate) use row;

/// A row of an answer.
pub(crate) trait Row {
    /// A number; columns count from 0.
    fn integer(&self, column: usize) -> Result<Option<i64>, DatabaseError>;
    /// A text.
    fn text(&self, column: usize) -> Result<Option<String>, DatabaseError>;
    /// Bytes.
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, DatabaseError>;
}

impl dyn Row + '_ {
    /// A column as what the caller wants it to be.
    pub(crate) fn get<T: FromColumn>(&self, column: usize) -> Result<T, DatabaseError> {
        T::from_column(self, column)?.ok_or_else(|| DatabaseError::Other(format!("column {column} is empty")))
    }
}

/// What a column can be read as.
pub(crate) trait FromColumn: Sized {
    /// None: there is nothing in it.
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError>;
}

impl FromColumn for i64 {
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError> {
        row.integer(column)
    }
}

impl FromColumn for u64 {
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError> {
        Ok(row.integer(column)?.map(|number| number.max(0).unsigned_abs()))
    }
}

impl FromColumn for u32 {
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError> {
        Ok(row
            .integer(column)?
            .map(|number| Self::try_from(number.max(0)).unwrap_or(Self::MAX)))
    }
}

impl FromColumn for bool {
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError> {
        Ok(row.integer(column)?.map(|number| number != 0))
    }
}

impl FromColumn for String {
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError> {
        row.text(column)
    }
}

impl FromColumn for Vec<u8> {
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError> {
        row.bytes(column)
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError> {
        let wrong =
            |found: Vec<u8>| DatabaseError::Other(format!("column {column} has {} bytes, not {N}", found.len()));
        row.bytes(column)?
            .map(|bytes| bytes.try_into().map_err(wrong))
            .transpose()
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(row: &dyn Row, column: usize) -> Result<Option<Self>, DatabaseError> {
        T::from_column(row, column).map(Some)
    }
}
