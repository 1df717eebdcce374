//! Conditions of lists, and their pages.

use super::StoreError;
use crate::database::{Connection, DatabaseError, Row, ToValue, Value};

/// Conditions joined by AND, built from columns of ours and values of the client.
#[derive(Default)]
pub(crate) struct Where {
    clauses: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Where {
    pub(crate) fn equal(&mut self, column: &str, value: Option<impl ToValue>) -> &mut Self {
        self.compare(column, "=", value)
    }

    pub(crate) fn compare(&mut self, column: &str, operator: &str, value: Option<impl ToValue>) -> &mut Self {
        if let Some(value) = value {
            self.values.push(value.value().into_owned());
            self.clauses.push(format!("{column} {operator} ?{}", self.values.len()));
        }
        self
    }

    pub(crate) fn raw(&mut self, clause: &str) -> &mut Self {
        self.clauses.push(clause.to_owned());
        self
    }

    pub(crate) fn sql(&self) -> String {
        if self.clauses.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.clauses.join(" AND "))
        }
    }

    pub(crate) fn params(&self) -> &[Value<'static>] {
        &self.values
    }

    /// Counts the whole list and hands over the rows of the page one by one.
    pub(crate) fn look_through<T>(
        &self,
        connection: &Connection,
        columns: &str,
        from: &str,
        tail: &str,
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
        each: impl FnMut(T),
    ) -> Result<u64, StoreError> {
        let total = self.total(connection, "count(*)", from)?;
        self.each(connection, columns, from, tail, read, each)?;
        Ok(total)
    }

    /// One number over all rows that meet the conditions; a sum over none is 0.
    pub(crate) fn total(&self, connection: &Connection, expression: &str, from: &str) -> Result<u64, StoreError> {
        let total: Option<i64> = connection.one(
            &format!("SELECT {expression} FROM {from}{}", self.sql()),
            self.params(),
            |row| row.get(0),
        )?;
        Ok(total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0))
    }

    /// The rows that meet the conditions; `tail` orders and bounds them.
    pub(crate) fn rows<T>(
        &self,
        connection: &Connection,
        columns: &str,
        from: &str,
        tail: &str,
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        self.each(connection, columns, from, tail, read, |row| rows.push(row))?;
        Ok(rows)
    }

    /// The same rows, handed over one by one.
    pub(crate) fn each<T>(
        &self,
        connection: &Connection,
        columns: &str,
        from: &str,
        tail: &str,
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
        each: impl FnMut(T),
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT {columns} FROM {from}{}{tail}", self.sql());
        Ok(connection.each(&sql, self.params(), read, each)?)
    }
}
