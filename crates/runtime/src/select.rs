//! `select!`: the first of two to four futures, tried in the order written.

#[doc(hidden)]
pub enum First<A, B, C, D> {
    A(A),
    B(B),
    C(C),
    D(D),
}

#[doc(hidden)]
pub enum Never {}

/// Waits for the first of two to four futures and drops the others. **Biased**: polled in the order written, so the outcome
/// depends on nothing hidden. Each arm ends with a comma; what is dropped must be cancel-safe.
///
/// ```
/// # async fn f(stop: ouzel_runtime::sync::Latch, mut inbox: ouzel_runtime::sync::Receiver<u32>) -> Option<u32> {
/// ouzel_runtime::select! {
///     () = stop.wait() => None,
///     item = inbox.recv() => item,
/// }
/// # }
/// ```
#[macro_export]
macro_rules! select {
    ($p1:pat = $f1:expr => $b1:expr, $p2:pat = $f2:expr => $b2:expr $(,)?) => {
        $crate::select!(@run [A $p1 = $f1 => $b1] [B $p2 = $f2 => $b2])
    };
    ($p1:pat = $f1:expr => $b1:expr, $p2:pat = $f2:expr => $b2:expr, $p3:pat = $f3:expr => $b3:expr $(,)?) => {
        $crate::select!(@run [A $p1 = $f1 => $b1] [B $p2 = $f2 => $b2] [C $p3 = $f3 => $b3])
    };
    ($p1:pat = $f1:expr => $b1:expr, $p2:pat = $f2:expr => $b2:expr, $p3:pat = $f3:expr => $b3:expr,
     $p4:pat = $f4:expr => $b4:expr $(,)?) => {
        $crate::select!(@run [A $p1 = $f1 => $b1] [B $p2 = $f2 => $b2] [C $p3 = $f3 => $b3] [D $p4 = $f4 => $b4])
    };
    (@run [A $p1:pat = $f1:expr => $b1:expr] [B $p2:pat = $f2:expr => $b2:expr]) => {{
        let first: $crate::select::First<_, _, $crate::select::Never, $crate::select::Never> = {
            let mut a = ::std::pin::pin!($f1);
            let mut b = ::std::pin::pin!($f2);
            ::std::future::poll_fn(|cx| {
                $crate::select!(@poll cx a A);
                $crate::select!(@poll cx b B);
                ::std::task::Poll::Pending
            })
            .await
        };
        match first {
            $crate::select::First::A($p1) => $b1,
            $crate::select::First::B($p2) => $b2,
            $crate::select::First::C(never) => match never {},
            $crate::select::First::D(never) => match never {},
        }
    }};
    (@run [A $p1:pat = $f1:expr => $b1:expr] [B $p2:pat = $f2:expr => $b2:expr] [C $p3:pat = $f3:expr => $b3:expr]) => {{
        let first: $crate::select::First<_, _, _, $crate::select::Never> = {
            let mut a = ::std::pin::pin!($f1);
            let mut b = ::std::pin::pin!($f2);
            let mut c = ::std::pin::pin!($f3);
            ::std::future::poll_fn(|cx| {
                $crate::select!(@poll cx a A);
                $crate::select!(@poll cx b B);
                $crate::select!(@poll cx c C);
                ::std::task::Poll::Pending
            })
            .await
        };
        match first {
            $crate::select::First::A($p1) => $b1,
            $crate::select::First::B($p2) => $b2,
            $crate::select::First::C($p3) => $b3,
            $crate::select::First::D(never) => match never {},
        }
    }};
    (@run [A $p1:pat = $f1:expr => $b1:expr] [B $p2:pat = $f2:expr => $b2:expr] [C $p3:pat = $f3:expr => $b3:expr]
     [D $p4:pat = $f4:expr => $b4:expr]) => {{
        let first: $crate::select::First<_, _, _, _> = {
            let mut a = ::std::pin::pin!($f1);
            let mut b = ::std::pin::pin!($f2);
            let mut c = ::std::pin::pin!($f3);
            let mut d = ::std::pin::pin!($f4);
            ::std::future::poll_fn(|cx| {
                $crate::select!(@poll cx a A);
                $crate::select!(@poll cx b B);
                $crate::select!(@poll cx c C);
                $crate::select!(@poll cx d D);
                ::std::task::Poll::Pending
            })
            .await
        };
        match first {
            $crate::select::First::A($p1) => $b1,
            $crate::select::First::B($p2) => $b2,
            $crate::select::First::C($p3) => $b3,
            $crate::select::First::D($p4) => $b4,
        }
    }};
    (@poll $cx:ident $future:ident $arm:ident) => {
        if let ::std::task::Poll::Ready(value) = ::std::future::Future::poll($future.as_mut(), $cx) {
            return ::std::task::Poll::Ready($crate::select::First::$arm(value));
        }
    };
}
