//! A bounded memory: what is used stays, what is not goes with its generation.

use std::collections::HashMap;

/// What things are known by: a SHA-256.
pub(super) type Key = [u8; 32];

/// Holds at most twice the weight of one generation.
pub(super) struct Generations<V> {
    weight_of_one: usize,
    weight: usize,
    young: HashMap<Key, (V, usize)>,
    old: HashMap<Key, (V, usize)>,
}

impl<V: Clone> Generations<V> {
    pub(super) fn new(weight_of_one: usize) -> Self {
        Self {
            weight_of_one,
            weight: 0,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    pub(super) fn get(&mut self, key: &Key) -> Option<V> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (value, weight) = self.old.remove(key)?;
        self.put(*key, value.clone(), weight);
        Some(value)
    }

    /// Keeps a value; one that is heavier than a generation is not kept.
    pub(super) fn put(&mut self, key: Key, value: V, weight: usize) {
        if weight > self.weight_of_one {
            return;
        }
        if self.weight + weight > self.weight_of_one {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        if self.young.insert(key, (value, weight)).is_none() {
            self.weight += weight;
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some((_, weight)) = self.young.remove(key) {
            self.weight = self.weight.saturating_sub(weight);
        }
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Key {
        [number; 32]
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut memory = Generations::new(4);
        for number in 0..4 {
            memory.put(key(number), number, 1);
        }
        for number in 4..12 {
            assert_eq!(memory.get(&key(0)), Some(0));
            memory.put(key(number), number, 1);
            assert!(memory.young.len() + memory.old.len() <= 8);
        }
        assert_eq!(memory.get(&key(1)), None);
    }

    #[test]
    fn what_is_too_heavy_is_not_kept_and_what_is_removed_is_gone() {
        let mut memory = Generations::new(4);
        memory.put(key(0), 'a', 5);
        assert_eq!(memory.get(&key(0)), None);
        memory.put(key(0), 'a', 4);
        memory.remove(&key(0));
        assert_eq!(memory.get(&key(0)), None);
        assert_eq!(memory.weight, 0);
    }
}
