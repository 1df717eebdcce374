//! PostgreSQL: many nodes, many writers.
//!
//! A connection is used by one thread at a time and drives its own input and output, so a statement costs no change of threads.
//! Each commit carries a mark, a row of its own: when the connection is lost during the commit, another one tries to put the same
//! mark there. It waits for the lost transaction to end and then knows; a lost transaction that comes later finds the mark
//! taken and fails.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::rand;
use futures::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgDatabaseError, PgRow};
use sqlx::{
    Arguments as _, AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _, TypeInfo as _,
};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::{Backend, Commit, DatabaseError, Dialect, Driver, EachRow, Mark, Row, Value};

/// Reads at the same time.
const READERS: usize = 8;
/// Pieces that share one commit. Bounds the wait of the first, and what is run again when one fails.
const BATCH: usize = 64;
/// How long one statement may take until its connection is taken for lost. The server ends it a little earlier.
const STATEMENT: Duration = Duration::from_mins(1);
/// The same for starting, ending and taking back a transaction.
const QUICK: Duration = Duration::from_secs(10);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a writer goes on trying to reach a database that is away: as long as a restart or a take-over lasts.
const PATIENCE: Duration = Duration::from_secs(30);
/// A connection that was idle for so long is looked at before it is used again.
const FRESH: Duration = Duration::from_secs(1);
/// The channel of hints.
pub(super) const WORK: &str = "budstikke_work";
/// Statements whose translation is remembered, for each connection.
const TRANSLATED: usize = 1000;
/// What every connection is told first. Durability is not left to the server's settings; a transaction whose client is gone
/// ends by itself, soon: the writers of a frozen node wait for each other's locks, and each of them is found silent after the one before.
/// Rows are found by an index: a plan that was made while a table was small must not read a large one through.
const SETTINGS: &str = "SET synchronous_commit = on; SET statement_timeout = '55s'; SET lock_timeout = '8s'; \
     SET idle_in_transaction_session_timeout = '2s'; SET client_min_messages = error; SET jit = off; \
     SET enable_seqscan = off";
/// What one that writes is told as well. Its statements are few and the same all day: making a plan anew costs more than carrying it
/// out.
const PLANS: &str = "SET plan_cache_mode = force_generic_plan";

/// A database of a server.
pub(crate) struct Postgres {
    options: PgConnectOptions,
    writers: usize,
}

impl Postgres {
    /// `url`: `postgres://user:password@host/database?sslmode=verify-full`. `writers`: connections that write.
    pub(crate) fn new(url: &str, writers: usize) -> Result<Self, DatabaseError> {
        let options = url
            .parse::<PgConnectOptions>()
            // The text of the error could hold the password.
            .map_err(|_| DatabaseError::Other("the address of the database cannot be read".into()))?
            .application_name("budstikke")
            .statement_cache_capacity(512)
            .disable_statement_logging();
        Ok(Self { options, writers })
    }

    fn open(&self, writes: bool) -> Result<Session, DatabaseError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| DatabaseError::Other(error.to_string()))?;
        let connecting = async {
            let mut connection = self.options.connect().await?;
            connection.execute(SETTINGS).await?;
            if writes {
                connection.execute(PLANS).await?;
            }
            Ok(connection)
        };
        let connection = match runtime.block_on(async { timeout(CONNECT, connecting).await }) {
            Ok(connected) => connected.map_err(unreachable),
            Err(_) => Err(DatabaseError::Away("no answer".into())),
        };
        match connection {
            Ok(connection) => Ok(Session {
                connection: Some(connection),
                runtime: Some(runtime),
                translated: HashMap::new(),
                used: Instant::now(),
            }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }
}

/// While a connection is made, a refusal can be a server that is starting or ending.
fn unreachable(error: sqlx::Error) -> DatabaseError {
    match DatabaseError::from(error) {
        DatabaseError::Other(reason) => DatabaseError::Away(reason),
        other => other,
    }
}

impl Backend for Postgres {
    fn connect(&self, writes: bool) -> Result<Box<dyn Driver>, DatabaseError> {
        Ok(Box::new(self.open(writes)?))
    }

    fn settle(&self, mark: Mark) -> Result<bool, DatabaseError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = self.open(false).and_then(|mut session| {
                let put = format!(
                    "INSERT INTO commit_mark (id) VALUES ({}) ON CONFLICT DO NOTHING",
                    mark.0
                );
                session.execute(&put, &[])
            });
            match asked {
                Ok(put) => return Ok(put == 0),
                Err(error) if Instant::now() >= deadline => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "whether a commit took place cannot be asked yet; trying again");
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        }
    }

    fn writers(&self) -> usize {
        self.writers
    }

    fn batch(&self) -> usize {
        BATCH
    }

    fn readers(&self) -> usize {
        READERS
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn hints(&self) -> Option<PgConnectOptions> {
        Some(self.options.clone())
    }
}

/// Marks grow with time, so that their table is written at its end and old ones are found.
fn next_mark() -> Result<Mark, DatabaseError> {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let mut random = [0; 3];
    rand::fill(&mut random).map_err(|_| DatabaseError::Other("no random bytes".into()))?;
    let [a, b, c] = random.map(i64::from);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    let fresh = (i64::try_from(now).unwrap_or(0) << 20) | ((a << 16 | b << 8 | c) & 0xf_ffff);
    let last = LAST.fetch_max(fresh, Ordering::Relaxed);
    Ok(Mark(if last >= fresh {
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    } else {
        fresh
    }))
}

struct Session {
    /// None: lost.
    connection: Option<PgConnection>,
    /// None only while it is being dropped.
    runtime: Option<Runtime>,
    /// Statements as this server writes them.
    translated: HashMap<String, Arc<str>>,
    used: Instant,
}

impl Session {
    /// Waits for a statement. A connection that fails in another way than by the server's word is lost.
    fn wait<'a, T, F>(
        &'a mut self,
        limit: Duration,
        statement: impl FnOnce(&'a mut PgConnection) -> F,
    ) -> Result<T, DatabaseError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let Self {
            connection, runtime, ..
        } = self;
        let (Some(open), Some(runtime)) = (connection.as_mut(), runtime.as_ref()) else {
            return Err(DatabaseError::Away("the connection was lost".into()));
        };
        let statement = statement(open);
        let ended = runtime.block_on(async { timeout(limit, statement).await });
        match ended {
            Ok(result) => result.map_err(DatabaseError::from),
            Err(_) => Err(DatabaseError::Away(format!("no answer for {} s", limit.as_secs()))),
        }
    }

    fn noted<T>(&mut self, result: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        if matches!(result, Err(DatabaseError::Away(_))) {
            self.connection = None;
        }
        self.used = Instant::now();
        result
    }

    /// A statement as this server writes it: `$1` for `?1`.
    fn translate(&mut self, sql: &str) -> Arc<str> {
        if let Some(known) = self.translated.get(sql) {
            return Arc::clone(known);
        }
        // Lists have their page in their text: there is no end of different ones.
        if self.translated.len() >= TRANSLATED {
            self.translated.clear();
        }
        let translated: Arc<str> = sql.replace('?', "$").into();
        self.translated.insert(sql.to_owned(), Arc::clone(&translated));
        translated
    }

    fn simple(&mut self, limit: Duration, sql: String) -> Result<u64, DatabaseError> {
        let done = self.wait(limit, |connection| async move {
            let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            Ok(done.rows_affected())
        });
        self.noted(done)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (connection, runtime) = (self.connection.take(), self.runtime.take());
        // The socket is closed where it was opened, and a thread that is itself asynchronous must not wait.
        if let Some(runtime) = runtime {
            let entered = runtime.enter();
            drop(connection);
            drop(entered);
            runtime.shutdown_background();
        }
    }
}

fn arguments(values: &[Value<'_>]) -> Result<PgArguments, DatabaseError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Integer(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(text.as_deref().map(storable)),
            Value::Bytes(bytes) => arguments.add(bytes.as_deref()),
            Value::Many(values) => add_array(&mut arguments, values),
        }
        .map_err(|error| DatabaseError::Other(error.to_string()))?;
    }
    Ok(arguments)
}

/// Values of one kind, which the first one shows.
fn add_array(arguments: &mut PgArguments, values: &[Value<'_>]) -> Result<(), sqlx::error::BoxDynError> {
    match values.first() {
        Some(Value::Integer(_)) => arguments.add(all(values, |value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        })?),
        Some(Value::Text(_)) => arguments.add(all(values, |value| match value {
            Value::Text(text) => Some(text.as_deref().map(storable)),
            _ => None,
        })?),
        Some(Value::Bytes(_)) => arguments.add(all(values, |value| match value {
            Value::Bytes(bytes) => Some(bytes.as_deref()),
            _ => None,
        })?),
        Some(Value::Many(_)) | None => Err("an array of nothing that a column can hold".into()),
    }
}

/// Of all values, unless one is of another kind.
fn all<'a, T>(
    values: &'a [Value<'_>],
    of: impl Fn(&'a Value<'_>) -> Option<T>,
) -> Result<Vec<T>, sqlx::error::BoxDynError> {
    let all: Option<Vec<T>> = values.iter().map(of).collect();
    all.ok_or_else(|| "an array of different kinds of values".into())
}

/// This database has no text with a zero in it; nobody means one.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

impl Driver for Session {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        let (sql, arguments) = (self.translate(sql), arguments(values)?);
        let done = self.wait(STATEMENT, |connection| async move {
            let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
            Ok(connection.execute(query).await?.rows_affected())
        });
        self.noted(done)
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), DatabaseError> {
        let (sql, arguments) = (self.translate(sql), arguments(values)?);
        let mut refused = None;
        let done = self.wait(STATEMENT, |connection| async {
            let mut rows = connection.fetch(sqlx::query_with(AssertSqlSafe(sql), arguments));
            while let Some(row) = rows.try_next().await? {
                if refused.is_none() {
                    refused = each(&row).err();
                }
            }
            Ok(())
        });
        self.noted(done)?;
        refused.map_or(Ok(()), Err)
    }

    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.simple(STATEMENT, sql.to_owned()).map(drop)
    }

    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.simple(QUICK, "BEGIN".to_owned()).map(drop)
    }

    fn commit(&mut self) -> Result<(), Commit> {
        let mark = next_mark().map_err(Commit::Failed)?;
        // In one message: nothing can come between.
        match self.simple(
            STATEMENT,
            format!("INSERT INTO commit_mark (id) VALUES ({}); COMMIT", mark.0),
        ) {
            Ok(_) => Ok(()),
            Err(DatabaseError::Away(_)) => Err(Commit::Unknown(mark)),
            // Another node had the same thought; the next mark is another one.
            Err(DatabaseError::Constraint(reason)) => Err(Commit::Failed(DatabaseError::Conflict(reason))),
            Err(error) => Err(Commit::Failed(error)),
        }
    }

    fn rollback(&mut self) {
        if self.connection.is_some()
            && let Err(error) = self.simple(QUICK, "ROLLBACK".to_owned())
        {
            // The server takes back what is not committed when it sees the connection go.
            tracing::warn!(%error, "a transaction could not be taken back; its connection is given up");
            self.connection = None;
        }
    }

    fn is_usable(&self) -> bool {
        self.connection.is_some()
    }

    fn hint(&mut self) -> Result<(), DatabaseError> {
        self.simple(QUICK, format!("NOTIFY {WORK}")).map(drop)
    }

    fn refresh(&mut self) {
        if self.used.elapsed() > FRESH {
            let answered = self.wait(QUICK, PgConnection::ping);
            if self.noted(answered).is_err() {
                self.connection = None;
            }
        }
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(told) = &error else {
            return match error {
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                    Self::Away(error.to_string())
                }
                _ => Self::Other(error.to_string()),
            };
        };
        let told = told.downcast_ref::<PgDatabaseError>();
        // The server's own text, without the row that it is about.
        let reason = format!("{} ({})", told.message(), told.code());
        match told.code() {
            "23505" | "23514" | "23503" => Self::Constraint(told.constraint().unwrap_or("a constraint").to_owned()),
            "40001" | "40P01" | "55P03" => Self::Conflict(reason),
            "53100" => Self::Full,
            // The server stops, starts, or has cut the connection; 25006: it is a copy that only reads.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25006" | "53300" => Self::Away(reason),
            code if code.starts_with("08") => Self::Away(reason),
            _ => Self::Other(reason),
        }
    }
}

impl Row for PgRow {
    fn integer(&self, column: usize) -> Result<Option<i64>, DatabaseError> {
        let value = self.try_get_raw(column)?;
        let kind = sqlx::ValueRef::type_info(&value);
        match kind.name() {
            "INT8" => Ok(self.try_get(column)?),
            "INT4" => Ok(self.try_get::<Option<i32>, _>(column)?.map(i64::from)),
            "BOOL" => Ok(self.try_get::<Option<bool>, _>(column)?.map(i64::from)),
            other => Err(DatabaseError::Other(format!(
                "column {column} is {other}, not a number"
            ))),
        }
    }

    fn text(&self, column: usize) -> Result<Option<String>, DatabaseError> {
        Ok(self.try_get(column)?)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, DatabaseError> {
        Ok(self.try_get(column)?)
    }
}
