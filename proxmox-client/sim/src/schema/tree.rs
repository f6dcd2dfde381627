//! A tree of paths whose parts are literal (`lxc`) or variable (`{vmid}`).

use std::collections::HashMap;

/// What the variable parts of a path hold, by name.
pub(crate) type PathValues = Vec<(&'static str, String)>;

/// Values (several per path) found by path.
pub(super) struct Tree<T> {
    literal: HashMap<&'static str, Tree<T>>,
    variable: Option<(&'static str, Box<Tree<T>>)>,
    values: Vec<T>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Tree {
            literal: HashMap::new(),
            variable: None,
            values: Vec::new(),
        }
    }
}

impl<T> Tree<T> {
    /// Adds one value to the path `template`.
    pub(super) fn insert(&mut self, template: &'static str, value: T) {
        let mut at = self;
        for part in parts(template) {
            at = match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
                Some(name) => &mut *at.variable.get_or_insert_with(|| (name, Box::default())).1,
                None => at.literal.entry(part).or_default(),
            };
        }
        at.values.push(value);
    }

    /// The values of `path` and what its variable parts hold.
    pub(super) fn find(&self, path: &str) -> Option<(&[T], PathValues)> {
        let mut at = self;
        let mut variables = Vec::new();
        for part in parts(path) {
            at = match (at.literal.get(part), &at.variable) {
                (Some(next), _) => next,
                (None, Some((name, next))) => {
                    variables.push((*name, part.to_owned()));
                    next
                }
                (None, None) => return None,
            };
        }
        (!at.values.is_empty()).then_some((at.values.as_slice(), variables))
    }

    /// All values.
    #[cfg(test)]
    pub(super) fn values(&self) -> Box<dyn Iterator<Item = &T> + '_> {
        let below = self
            .literal
            .values()
            .chain(self.variable.iter().map(|(_, tree)| &**tree));
        Box::new(self.values.iter().chain(below.flat_map(|tree| tree.values())))
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
