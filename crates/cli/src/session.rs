//! A client for one command: its settings, and a core to run on.

use std::cell::RefCell;
use std::rc::Rc;

use ouzel_client::{Address, Client, Options};
use ouzel_runtime::Runtime;
use ouzel_runtime::system::{self, DiskChoice, SystemOptions};

use crate::args::Global;
use crate::failure::{Done, Failure, Failures};
use crate::text;

/// What every client setting is called.
const SETTINGS: [&str; 1] = ["brokers"];
const BROKERS_DEFAULT: &str = "localhost:9092";

/// Settings from `-X`, else from the environment, else the defaults.
pub fn brokers(global: &Global) -> Result<Vec<Address>, Failure> {
    let mut brokers = None;
    for setting in &global.client_settings {
        let (name, value) = text::pair(setting).map_err(Failure::usage)?;
        match name.as_str() {
            "brokers" => brokers = Some(value),
            other => {
                let failure = Failure::usage(format!("-X knows no setting `{other}`"));
                let near = text::nearest(other, SETTINGS.into_iter()).unwrap_or("brokers");
                return Err(
                    failure.next(format!("did you mean `{near}`? `-X brokers=host:port` says where to connect"))
                );
            }
        }
    }
    let brokers = brokers.or_else(|| std::env::var("OUZEL_X_BROKERS").ok().filter(|value| !value.is_empty()));
    let brokers = brokers.unwrap_or_else(|| BROKERS_DEFAULT.to_owned());
    let addresses: Result<Vec<Address>, _> = brokers.split(',').map(|part| part.trim().parse()).collect();
    addresses
        .map_err(|error| Failure::usage(format!("brokers: {error}")).next("give it as `-X brokers=localhost:9092`"))
}

/// Runs a command that needs no broker, on a core of its own.
pub fn run<T: 'static>(main: impl AsyncFnOnce(Runtime) -> T + 'static) -> Result<T, Failure> {
    let result = Rc::new(RefCell::new(None));
    let slot = result.clone();
    // No command of a client touches files: the pool, which needs no probe.
    let options = SystemOptions { disk: DiskChoice::Pool, ..SystemOptions::default() };
    let ended = system::run_here(options, |rt| async move {
        let value = main(rt).await;
        *slot.borrow_mut() = Some(value);
    });
    let reason = ended.err().unwrap_or_else(|| "it ended early".to_owned());
    result.take().ok_or_else(|| Failure::new("E-INTERNAL", format!("the command broke off: {reason}")))
}

/// Runs a command against the cluster that the settings name.
pub fn with_client(global: &Global, main: impl AsyncFnOnce(Client) -> Done + 'static) -> Done {
    let options = Options::to(&brokers(global)?);
    run(async move |rt| {
        let client = Client::connect(&rt, options).await.map_err(|error| Failure::client("connect", error))?;
        main(client).await
    })
    .map_err(Failures::from)?
}

/// Waits for a future that needs timers, sockets or signals, but no core of its own.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let reactor = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // Without one there are no file descriptors left, and nothing that could be done.
    reactor.expect("the machine gives an epoll descriptor").block_on(future)
}
