//! `settings`: what the operator wrote for the adapter.

use serde_json::Value;

use crate::bindings::budstikke::plugin::{settings, types};
use crate::call_state::CallState;

impl types::Host for CallState {}

impl settings::Host for CallState {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(lookup(self.plugin.services.settings(), &name))
    }

    fn json(&mut self) -> wasmtime::Result<String> {
        Ok(match self.plugin.services.settings() {
            Value::Null => "{}".to_owned(),
            table => table.to_string(),
        })
    }
}

/// One value by its dotted name; a key that has dots itself is found too.
fn lookup(table: &Value, name: &str) -> Option<String> {
    let found = match table.get(name) {
        Some(value) => value,
        None => name.split('.').try_fold(table, |table, key| table.get(key))?,
    };
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_by_its_dotted_name() {
        let table = serde_json::json!({"broker": {"url": "https://altinn.no", "port": 8443, "on": true}, "list": [1]});
        assert_eq!(lookup(&table, "broker.url").as_deref(), Some("https://altinn.no"));
        assert_eq!(lookup(&table, "broker.port").as_deref(), Some("8443"));
        assert_eq!(lookup(&table, "broker.on").as_deref(), Some("true"));
        assert_eq!(lookup(&table, "broker"), None);
        assert_eq!(lookup(&table, "list"), None);
        assert_eq!(lookup(&table, "broker.url.x"), None);
        assert_eq!(lookup(&Value::Null, "x"), None);
    }
}
