//! What is to be seen of a running job over HTTP: metrics, health, open runs. On a thread of its own; the thread that drives the job only hands over
//! what the engine says of itself, when somebody asks.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use ensue_engine::{OpenRuns, Place};
use ensue_model::Timestamp;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;
use tracing::info;

use crate::clock;
use crate::event::Numbered;
use crate::job::JobError;
use crate::job::meters::Meters;
use crate::job::plan::Plan;
use crate::job::threads::Message;

pub(crate) mod figures;
mod health;
mod metrics;
mod patterns;
pub(crate) mod runs;

use figures::Figures;
use health::Health;
use runs::Asked;

/// How long the engine is waited for. Then what it said the last time is shown.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a job is to be seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Http {
    /// The address at which it listens.
    pub address: SocketAddr,
    /// What a request has to bring; none where all may ask.
    pub token: Option<Token>,
}

/// A secret that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The secret; none for an empty one, which is not secret.
    pub fn new(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Token(text))
    }

    /// Whether this is it. It takes as long wherever the two differ.
    fn is(&self, given: &[u8]) -> bool {
        let Token(secret) = self;
        let differ = secret.bytes().zip(given).fold(0, |differ, (a, b)| differ | (a ^ b));
        std::hint::black_box(differ) == 0 && secret.len() == given.len()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"..\"")
    }
}

/// What the driving thread is asked.
pub(crate) enum Question {
    /// What the engine says of itself.
    Figures(oneshot::Sender<Answer<Figures>>),
    /// Where open runs wait.
    Places(oneshot::Sender<Answer<Vec<Place>>>),
    /// The open runs of keys.
    Runs(Asked, oneshot::Sender<Answer<Vec<OpenRuns<Numbered>>>>),
}

/// The patterns that run, and what is said of them: by each shard over its channel.
type Answer<T> = (Arc<Plan>, Vec<Receiver<T>>);

/// An address that is listened to, before anybody is answered.
pub(crate) struct Bound {
    listener: TcpListener,
    runtime: Runtime,
    token: Option<Token>,
}

impl Bound {
    /// # Errors
    /// If the address cannot be listened to.
    pub(crate) fn new(http: Http) -> Result<Self, JobError> {
        let Http { address, token } = http;
        let failed = |error| JobError::config(format!("http: cannot listen at {address}: {error}"));
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        Ok(Bound { listener, runtime, token })
    }

    /// Answers, until the server is dropped.
    pub(crate) fn serve(self, meters: Arc<Meters>, ask: Sender<Message>) -> Server {
        let Bound { listener, runtime, token } = self;
        if let Ok(address) = listener.local_addr() {
            info!("shows itself at http://{address}");
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let desk = Arc::new(Desk { meters, ask, token, last: Mutex::default() });
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = axum::serve(listener, router(desk)) => {}
                    // It is told, or who would have told it is gone.
                    _ = stopped => {}
                }
            });
            // Who still waits for an answer does not keep the job.
            runtime.shutdown_background();
        });
        Server { stop: Some(stop), thread: Some(thread) }
    }
}

/// Answers as long as it is there.
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, that has been said; the job need not end for it.
            let _ = thread.join();
        }
    }
}

/// What answers need.
struct Desk {
    meters: Arc<Meters>,
    ask: Sender<Message>,
    token: Option<Token>,
    /// What the engine has said last, and of which patterns.
    last: Mutex<Option<(Arc<Plan>, Figures)>>,
}

impl Desk {
    /// What the engine says of itself; if it has no time to, what it said the last time.
    async fn figures(&self) -> Option<(Arc<Plan>, Figures)> {
        let now = tokio::time::timeout(PATIENCE, self.ask_figures()).await.ok().flatten();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if now.is_some() {
            last.clone_from(&now);
        }
        last.clone()
    }

    async fn ask_figures(&self) -> Option<(Arc<Plan>, Figures)> {
        let (plan, shards) = self.ask(Question::Figures).await?;
        let figures = tokio::task::spawn_blocking(|| Figures::gather(shards, PATIENCE)).await.ok()??;
        Some((plan, figures))
    }

    /// What all shards say together; none if one of them has no time.
    async fn ask_shards<T: Send + 'static>(
        &self,
        question: impl FnOnce(oneshot::Sender<Answer<Vec<T>>>) -> Question,
    ) -> Option<(Arc<Plan>, Vec<T>)> {
        let (plan, shards) = tokio::time::timeout(PATIENCE, self.ask(question)).await.ok()??;
        let gather = move || shards.iter().map(|shard| shard.recv_timeout(PATIENCE).ok()).collect::<Option<Vec<_>>>();
        let of_shards = tokio::task::spawn_blocking(gather).await.ok()??;
        Some((plan, of_shards.into_iter().flatten().collect()))
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<Answer<T>>) -> Question) -> Option<Answer<T>> {
        let (to, answer) = oneshot::channel();
        self.ask.send(Message::Asked(question(to))).ok()?;
        answer.await.ok()
    }
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/metrics", get(metrics_page))
        .route("/health", get(health_page))
        .route("/ready", get(ready))
        .route("/patterns", get(patterns_page))
        .route("/runs", get(runs_page))
        .layer(middleware::from_fn_with_state(desk.clone(), admit))
        .with_state(desk)
}

/// Answers only who brings the token, where there is one.
async fn admit(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
    let is_admitted = desk.token.as_ref().is_none_or(|token| given.is_some_and(|given| token.is(given)));
    match is_admitted {
        true => next.run(request).await,
        false => {
            let asks = [(header::WWW_AUTHENTICATE, "Bearer")];
            (StatusCode::UNAUTHORIZED, asks, "the header `Authorization: Bearer ..` with the token is needed\n")
                .into_response()
        }
    }
}

async fn front(State(desk): State<Arc<Desk>>) -> Html<String> {
    let name = desk.meters.job.replace('&', "&amp;").replace('<', "&lt;");
    Html(include_str!("http/front.html").replace("{job}", &name))
}

async fn metrics_page(State(desk): State<Arc<Desk>>) -> Response {
    match metrics::page(&desk.meters, desk.figures().await, clock::now()) {
        Ok(page) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn health_page(State(desk): State<Arc<Desk>>) -> Response {
    let health = Health::of(&desk.meters, clock::now());
    let status = if health.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, json(&health)).into_response()
}

async fn patterns_page(State(desk): State<Arc<Desk>>) -> Response {
    match desk.ask_shards(Question::Places).await {
        Some((plan, places)) => json(&patterns::page(&plan.patterns, desk.meters.refused(), places)),
        None => busy(),
    }
}

async fn runs_page(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Response {
    let asked = match Asked::read(query.as_deref().unwrap_or_default(), &desk.meters.patterns()) {
        Ok(asked) => asked,
        Err((status, reason)) => return (status, reason + "\n").into_response(),
    };
    let name = asked.pattern.clone();
    match desk.ask_shards(|to| Question::Runs(asked, to)).await {
        Some((plan, found)) => as_json(runs::page(&name, found, &plan.envelope())),
        None => busy(),
    }
}

fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "the engine is busy: ask again\n").into_response()
}

async fn ready(State(desk): State<Arc<Desk>>) -> (StatusCode, &'static str) {
    match desk.meters.is_stopping() {
        false => (StatusCode::OK, "ready\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

/// A time as people write it.
fn written(time: Timestamp) -> String {
    time.rfc3339().map_or_else(String::new, |time| time.as_str().to_owned())
}

/// A line of JSON.
fn json(value: &impl serde::Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => as_json(text.into_bytes()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn as_json(mut text: Vec<u8>) -> Response {
    text.push(b'\n');
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_compared_as_a_whole_and_never_shown() {
        let token = Token::new("s3cret".to_owned()).expect("it is not empty");
        assert!(token.is(b"s3cret"));
        for wrong in ["", "s3cre", "s3cret ", "s3creT", "x"] {
            assert!(!token.is(wrong.as_bytes()), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "\"..\"");
        assert!(Token::new(String::new()).is_none());
    }
}
