//! What an event shows of the thing it tells about. Stored events are small; the view is read when the event is delivered,
//! so that it is as the thing is then and as the one who watches may see it.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use muster_store::events::EventRow;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::app::{App, Ctx, Error};

/// How the subjects of some kinds of events are shown.
#[derive(Clone)]
pub struct EventView {
    kinds: &'static [&'static str],
    field: &'static str,
    load: Arc<Load>,
}

type Load = dyn Fn(App, Ctx, Vec<Uuid>) -> BoxFuture<'static, Result<HashMap<Uuid, Value>, Error>> + Send + Sync;

impl EventView {
    /// Events of these `kinds` carry their subject in `field`. `load` reads the views of many subjects at once, for the
    /// caller who watches; one that is gone may be missing in its answer and is shown as null.
    pub fn new<F, Fut, T>(kinds: &'static [&'static str], field: &'static str, load: F) -> EventView
    where
        F: Fn(App, Ctx, Vec<Uuid>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<Uuid, T>, Error>> + Send + 'static,
        T: Serialize,
    {
        let load = move |app, ctx, ids| {
            let views = load(app, ctx, ids);
            async move { views.await?.into_iter().map(json).collect() }.boxed()
        };
        EventView {
            kinds,
            field,
            load: Arc::new(load),
        }
    }

    /// The views of all subjects that these events tell about.
    async fn of(&self, app: &App, ctx: &Ctx, events: &[EventRow]) -> Result<HashMap<Uuid, Value>, Error> {
        let subjects: HashSet<Uuid> = events
            .iter()
            .filter(|event| self.kinds.contains(&event.kind.as_str()))
            .filter_map(|event| event.subject)
            .collect();
        if subjects.is_empty() {
            return Ok(HashMap::new());
        }
        (self.load)(app.clone(), ctx.clone(), subjects.into_iter().collect()).await
    }
}

/// The data of each event: its number, kind, time, subject, facts and view.
pub(super) async fn frames(
    views: &[EventView],
    app: &App,
    ctx: &Ctx,
    events: Vec<EventRow>,
) -> Result<Vec<(EventRow, Value)>, Error> {
    let mut shown = Vec::with_capacity(views.len());
    for view in views {
        shown.push((view, view.of(app, ctx, &events).await?));
    }
    Ok(events
        .into_iter()
        .map(|event| {
            let data = frame(&event, &shown);
            (event, data)
        })
        .collect())
}

fn frame(event: &EventRow, shown: &[(&EventView, HashMap<Uuid, Value>)]) -> Value {
    let mut data = match &event.facts.0 {
        Value::Object(facts) => facts.clone(),
        _ => serde_json::Map::new(),
    };
    data.insert("seq".to_owned(), event.seq.into());
    data.insert("kind".to_owned(), event.kind.as_str().into());
    let at = muster_domain::Timestamp::from_micros(event.at).to_string();
    data.insert("at".to_owned(), at.into());
    if let Some(subject) = event.subject {
        data.insert("id".to_owned(), subject.to_string().into());
        let views = shown
            .iter()
            .filter(|(view, _)| view.kinds.contains(&event.kind.as_str()));
        for (view, all) in views {
            let view_of_it = all.get(&subject).cloned().unwrap_or(Value::Null);
            data.insert(view.field.to_owned(), view_of_it);
        }
    }
    Value::Object(data)
}

fn json<T: Serialize>((id, view): (Uuid, T)) -> Result<(Uuid, Value), Error> {
    let value =
        serde_json::to_value(view).map_err(|error| Error::Internal(format!("a view does not serialize: {error}")))?;
    Ok((id, value))
}
