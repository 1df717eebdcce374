//! A socket beside the journal, through which the command line reaches the supervisor that runs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const SOCKET: &str = "kosmos.sock";
/// Requests that wait.
const WAITING: usize = 16;
/// What begins the last line of an answer.
const GOOD: &str = "ok";
const BAD: &str = "failed";

/// Runs now, and where its lines go.
pub struct RunNow {
    lines: mpsc::Sender<String>,
}

impl RunNow {
    /// A line for whoever asked.
    pub async fn say(&self, line: &str) {
        // Who asked may have gone.
        let _gone = self.lines.send(line.replace('\n', " ")).await;
    }

    /// The end.
    pub async fn end(self, good: bool) {
        let _gone = self.lines.send(if good { GOOD } else { BAD }.to_owned()).await;
    }
}

fn socket(state: &Path) -> PathBuf {
    state.join(SOCKET)
}

/// Listens until told to stop.
pub fn listen(state: &Path, stop: CancellationToken) -> std::io::Result<mpsc::Receiver<RunNow>> {
    let path = socket(state);
    // Left by one that was killed; the lock says that nobody uses it.
    drop(std::fs::remove_file(&path));
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { continue };
            tokio::spawn(serve(stream, sender.clone()));
        }
    });
    Ok(receiver)
}

async fn serve(stream: UnixStream, requests: mpsc::Sender<RunNow>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    if !matches!(lines.next_line().await, Ok(Some(line)) if line == "run-now") {
        return;
    }
    let (sender, mut told) = mpsc::channel(WAITING);
    if requests.send(RunNow { lines: sender }).await.is_err() {
        return;
    }
    while let Some(line) = told.recv().await {
        if writer.write_all(format!("{line}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Asks the supervisor to run now; its lines go to `tell`. None: no supervisor runs here. Some: whether all went well.
pub async fn run_now(state: &Path, mut tell: impl FnMut(&str)) -> std::io::Result<Option<bool>> {
    let Ok(mut stream) = UnixStream::connect(socket(state)).await else {
        return Ok(None);
    };
    stream.write_all(b"run-now\n").await?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        match line.as_str() {
            GOOD => return Ok(Some(true)),
            BAD => return Ok(Some(false)),
            line => tell(line),
        }
    }
    Err(std::io::Error::other("the supervisor ended before the run did"))
}
