//! Against pages that have a browser ask on their behalf: DNS rebinding brings any page's name to a loopback address, but the
//! browser still says that name.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers only requests that name a loopback host, and writes only from a loopback origin.
pub(crate) async fn loopback_only(request: Request, next: Next) -> Response {
    match refusal(request.method(), request.uri(), request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        None => next.run(request).await,
    }
}

/// Why a request isn't answered. One without `Host` or `Origin` comes from no browser.
fn refusal(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let loopback = |name: header::HeaderName, is: fn(&str) -> bool| {
        headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(is))
    };
    if !loopback(header::HOST, is_loopback) || !uri.authority().is_none_or(|a| is_loopback(a.as_str())) {
        return Some("this address is for this machine only: ask for it as localhost");
    }
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads && !loopback(header::ORIGIN, is_loopback_origin) {
        return Some("pages of other sites may not write here");
    }
    None
}

fn is_loopback_origin(origin: &str) -> bool {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")).is_some_and(is_loopback)
}

/// Whether `host`, with or without a port, names this machine to itself.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, after)) => (inside, after.strip_prefix(':').or(after.is_empty().then_some("0"))),
        None => host.split_once(':').map_or((host, Some("0")), |(name, port)| (name, Some(port))),
    };
    port.is_some_and(|port| port.parse::<u16>().is_ok())
        && (name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_count() {
        for good in
            ["localhost", "LocalHost:9644", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:9644", "[::ffff:127.0.0.1]:1"]
        {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.example:9644",
            "localhost:9644:1",
            "localhost:x",
            "localhost@evil.example",
            "evil.example@localhost:1",
            "0.0.0.0",
            "10.0.0.1:9644",
            "[::2]",
            "[::1]evil",
            "[::1",
            "2130706433",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    fn check(method: Method, uri: &str, host: Option<&str>, origin: Option<&str>, answered: bool) {
        let headers = [(header::HOST, host), (header::ORIGIN, origin)];
        let headers: HeaderMap =
            headers.into_iter().filter_map(|(name, value)| Some((name, value?.parse().expect("a value")))).collect();
        let refused = refusal(&method, &uri.parse().expect("a uri"), &headers).is_some();
        assert_eq!(refused, !answered, "{method} {uri} {headers:?}");
    }

    #[test]
    fn reads_need_a_loopback_host_and_writes_a_loopback_origin_too() {
        let (good, evil) = (Some("localhost:9644"), Some("evil.example"));
        check(Method::GET, "/metrics", good, None, true);
        check(Method::GET, "/metrics", None, None, true);
        check(Method::GET, "/metrics", evil, None, false);
        check(Method::GET, "http://evil.example/metrics", good, None, false);
        let (own, other) = (Some("http://127.0.0.1:80"), Some("http://evil.example"));
        check(Method::PUT, "/v1", good, None, true);
        check(Method::PUT, "/v1", good, own, true);
        check(Method::PUT, "/v1", evil, own, false);
        check(Method::PUT, "/v1", good, other, false);
        check(Method::DELETE, "/v1", good, Some("null"), false);
        check(Method::GET, "/v1", good, other, true);
    }
}
