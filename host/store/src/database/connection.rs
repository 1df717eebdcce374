//! What the store's functions work with.

use std::cell::{Cell, RefCell};

use super::{DatabaseError, Dialect, Driver, OwnedRow, Row, ToValue, Value};

/// Whether a statement only asks. Ours that begin with WITH and change something are executed, not asked for rows.
fn is_question(sql: &str) -> bool {
    sql.starts_with("SELECT") || sql.starts_with("WITH")
}

/// Rows of one statement at most.
const ROWS: usize = 16;

/// Powers of two that make up so many rows: each is a statement that the database has to know, so there are few.
fn few_sizes(mut rows: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let size = 1 << rows.min(ROWS).checked_ilog2()?;
        rows -= size;
        Some(size)
    })
}

/// `(?3, ?4)`: two places from the third on.
fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("?{place}")).collect();
    format!("({})", places.join(", "))
}

/// A table that a statement brings along: its SQL, and the values in it.
pub(crate) type Given<'a> = (String, Vec<Value<'a>>);

/// Rows as tables that statements bring along. SQLite knows a statement for each of a few numbers of rows; PostgreSQL gets an array for each
/// column, and one statement does for any number.
fn given<'a>(dialect: Dialect, rows: Vec<Vec<Value<'a>>>) -> Vec<Given<'a>> {
    let width = rows.first().map_or(0, Vec::len);
    if width == 0 {
        return Vec::new();
    }
    let mut values = rows.into_iter();
    match dialect {
        Dialect::Sqlite => few_sizes(values.len())
            .map(|size| {
                let places: Vec<String> = (0..size).map(|row| places(row * width + 1, width)).collect();
                let values = values.by_ref().take(size).flatten().collect();
                (format!("VALUES {}", places.join(", ")), values)
            })
            .collect(),
        Dialect::Postgres => {
            let mut columns: Vec<Vec<Value<'a>>> = (0..width).map(|_| Vec::with_capacity(values.len())).collect();
            for row in values {
                columns
                    .iter_mut()
                    .zip(row)
                    .for_each(|(column, value)| column.push(value));
            }
            let columns = columns.into_iter().map(Value::Many).collect();
            vec![(format!("SELECT * FROM unnest{}", places(1, width)), columns)]
        }
    }
}

/// A connection in the hands of one piece of work.
pub(crate) struct Connection {
    driver: RefCell<Box<dyn Driver>>,
    dialect: Dialect,
    wrote: Cell<bool>,
    failure: RefCell<Option<DatabaseError>>,
    hint: Cell<bool>,
}

impl Connection {
    pub(crate) fn new(driver: Box<dyn Driver>) -> Self {
        Self {
            dialect: driver.dialect(),
            driver: RefCell::new(driver),
            wrote: Cell::new(false),
            failure: RefCell::new(None),
            hint: Cell::new(false),
        }
    }

    /// What the database speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The driver, between pieces.
    pub(super) fn driver(&mut self) -> &mut dyn Driver {
        self.driver.get_mut().as_mut()
    }

    /// False when another connection must be made.
    pub(crate) fn is_usable(&self) -> bool {
        self.driver.borrow().is_usable()
    }

    /// Whether a statement that is no question was run since the last look.
    pub(super) fn wrote(&self) -> bool {
        self.wrote.replace(false)
    }

    /// The first statement that failed since the last look. What stands in its transaction cannot be committed, whatever was
    /// made of the error.
    pub(super) fn failure(&self) -> Option<DatabaseError> {
        self.failure.take()
    }

    fn noted<T>(&self, result: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        if let Err(error) = &result {
            self.failure.borrow_mut().get_or_insert_with(|| error.clone());
        }
        result
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        self.wrote.set(true);
        let done = self.driver.borrow_mut().execute(sql, values);
        self.noted(done)
    }

    /// Runs statements without values, separated by semicolons.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), DatabaseError> {
        self.wrote.set(true);
        let done = self.driver.borrow_mut().batch(sql);
        self.noted(done)
    }

    /// There is work for whoever has time: other nodes are told after the commit.
    pub(crate) fn hint(&self) {
        self.hint.set(true);
    }

    /// Whether there was a hint since the last look.
    pub(super) fn hinted(&self) -> bool {
        self.hint.replace(false)
    }

    /// Looks whether a connection that was idle is still there.
    pub(crate) fn refresh(&self) {
        self.driver.borrow_mut().refresh();
    }

    /// Runs a statement and hands over its rows one by one. No other statement can be run meanwhile.
    pub(crate) fn each<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
        mut each: impl FnMut(T),
    ) -> Result<(), DatabaseError> {
        if !is_question(sql) {
            self.wrote.set(true);
        }
        let done = self.driver.borrow_mut().query(sql, values, &mut |row| {
            each(read(row)?);
            Ok(())
        });
        self.noted(done)
    }

    /// All rows of an answer.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        let mut rows = Vec::new();
        self.each(sql, values, read, |row| rows.push(row))?;
        Ok(rows)
    }

    /// The first row of an answer, if it has one.
    pub(crate) fn maybe<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, DatabaseError> {
        let mut first = None;
        self.each(sql, values, read, |row| {
            if first.is_none() {
                first = Some(row);
            }
        })?;
        Ok(first)
    }

    /// The first row of an answer that has one.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        self.maybe(sql, values, read)?
            .ok_or_else(|| DatabaseError::Other("a row that must be there is missing".into()))
    }

    /// Rows, none of them empty and all of the same kind, as tables that statements bring along.
    pub(crate) fn given<'a>(&self, rows: Vec<Vec<Value<'a>>>) -> Vec<Given<'a>> {
        given(self.dialect, rows)
    }

    /// Adds rows to a table, many with one statement. `into`: table and columns; `tail`: what follows the values, and ends in
    /// RETURNING what `read` reads.
    pub(crate) fn insert<T>(
        &self,
        into: &str,
        rows: Vec<OwnedRow>,
        tail: &str,
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        let mut added = Vec::new();
        for (table, values) in self.given(rows) {
            let sql = format!("INSERT INTO {into} {table}{tail}");
            self.each(&sql, &values, &read, |row| added.push(row))?;
        }
        Ok(added)
    }

    /// `IN (…)`, or what the database likes better, for each statement of a few ids, and its values.
    pub(crate) fn one_of<'a>(&self, ids: &'a [i64]) -> Vec<Given<'a>> {
        let mut given = self.given(ids.iter().map(|id| vec![id.value()]).collect());
        for (table, _) in &mut given {
            *table = match self.dialect {
                Dialect::Sqlite => format!("IN ({table})"),
                // Of an array it knows that it is short.
                Dialect::Postgres => "= ANY(?1)".to_owned(),
            };
        }
        given
    }

    /// The rows whose last column of `sql`, up to its WHERE, is one of the ids; `tail` is what follows, for each statement of a few ids.
    pub(crate) fn among<T>(
        &self,
        sql: &str,
        ids: &[i64],
        tail: &str,
        read: impl Fn(&dyn Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, DatabaseError> {
        let mut found = Vec::new();
        for (one_of, values) in self.one_of(ids) {
            let sql = format!("{sql} {one_of}{tail}");
            self.each(&sql, &values, &read, |row| found.push(row))?;
        }
        Ok(found)
    }

    /// Whether an answer has a row.
    pub(crate) fn exists(&self, sql: &str, values: &[Value<'_>]) -> Result<bool, DatabaseError> {
        Ok(self.maybe(sql, values, |_| Ok(()))?.is_some())
    }
}
