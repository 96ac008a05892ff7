//! A broker for a try: `cargo run --example dev -- DIR`.
use ouzel_broker::{Broker, Config, logging};

fn main() {
    logging::to_stderr("info");
    let dir = std::env::args().nth(1).expect("a data directory");
    let mut config = Config::dev().data_dir(dir);
    config.admin = None;
    ouzel_runtime::system::run_here(ouzel_runtime::system::SystemOptions::default(), |_| async move {
        let broker = Broker::start(config).await.expect("it starts");
        println!("{:?}", broker.ready());
        broker.wait().expect("it ends well");
    })
    .expect("it runs");
}
