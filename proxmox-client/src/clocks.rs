//! What the clocks of endpoints showed, as the dates of their answers tell.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap};
use tokio::time::Instant;

use crate::Endpoint;

/// The clock of an endpoint when it last answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockReading {
    /// Whose clock it is.
    pub endpoint: Endpoint,
    /// What it showed, in whole seconds since 1970.
    pub date: i64,
    /// How long the question and the beginning of its answer were under way: the date was written somewhere in between.
    pub round_trip: Duration,
    /// How long ago the answer came.
    pub age: Duration,
}

/// The last reading of each endpoint.
#[derive(Debug, Default)]
pub(crate) struct Clocks(Mutex<HashMap<Endpoint, Reading>>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    date: i64,
    sent: Instant,
    received: Instant,
}

impl Clocks {
    /// Reads the clock off the headers of an answer; an answer without a date says nothing.
    pub(crate) fn note(&self, endpoint: &Endpoint, headers: &HeaderMap, sent: Instant) {
        let Some(date) = headers.get(DATE).and_then(|value| date(value.to_str().ok()?)) else {
            return;
        };
        let received = Instant::now();
        let reading = Reading { date, sent, received };
        self.lock().insert(endpoint.clone(), reading);
    }

    /// All readings.
    pub(crate) fn all(&self) -> Vec<ClockReading> {
        let readings = self.lock();
        let told = readings.iter().map(|(endpoint, reading)| ClockReading {
            endpoint: endpoint.clone(),
            date: reading.date,
            round_trip: reading.received - reading.sent,
            age: reading.received.elapsed(),
        });
        told.collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Endpoint, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn date(text: &str) -> Option<i64> {
    let moment = httpdate::parse_http_date(text).ok()?;
    i64::try_from(moment.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_last_date_of_each_endpoint_is_kept() {
        let clocks = Clocks::default();
        let endpoint: Endpoint = "https://192.0.2.1:8006".parse().expect("an endpoint");
        for text in [
            "Sat, 21 Nov 2026 03:44:46 GMT",
            "Sat, 21 Nov 2026 03:44:47 GMT",
            "now",
            "",
        ] {
            let headers = HeaderMap::from_iter([(DATE, HeaderValue::from_str(text).expect("a value"))]);
            clocks.note(&endpoint, &headers, Instant::now());
        }
        clocks.note(&endpoint, &HeaderMap::new(), Instant::now());
        let all = clocks.all();
        assert_eq!((all.len(), all[0].date), (1, 1_795_232_687));
    }
}
