//! Settings for tests.

use crate::settings::{Settings, from_json};

const ACCOUNT: &str = r#""kontoid":"11111111-1111-4111-8111-111111111111","integrasjon-id":"22222222-2222-4222-8222-222222222222","integrasjon-passord":"integrasjonspassord""#;

/// Settings for REST with our own account. `extra` begins with a comma and goes into `ut`.
pub(crate) fn rest(extra: &str) -> Settings {
    from_json(&format!(
        r#"{{"ut":{{"endpoint-url":"https://svarut.test",{ACCOUNT}{extra}}}}}"#
    ))
    .unwrap()
}

/// The same with an account for 987464291.
pub(crate) fn rest_for_two() -> Settings {
    let other = ACCOUNT.replace('1', "3").replace("integrasjonspassord", "annet");
    rest(&format!(r#","paa-vegne-av":{{"987464291":{{{other}}}}}"#))
}

/// Settings for SOAP.
pub(crate) fn soap(extra: &str) -> Settings {
    from_json(&format!(
        r#"{{"protocol":"soap","ut":{{"endpoint-url":"https://svarut.test","username":"bruker","password":"pæssord"{extra}}}}}"#
    ))
    .unwrap()
}

/// Settings for receiving. `extra` begins with a comma and goes into `inn`.
pub(crate) fn receiving(extra: &str) -> Settings {
    from_json(&format!(
        r#"{{"inn":{{"base-url":"https://svarut.test/svarinn","username":"bruker","password":"pæssord"{extra}}}}}"#
    ))
    .unwrap()
}
