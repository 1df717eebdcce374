//! Which bucket, and how it is reached.

use std::fmt;
use std::io;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use serde::Deserialize;

use super::patience::Patience;

/// A bucket of any service that speaks S3.
///
/// Uploads that a crash cut off hold space there without being seen: give the bucket a rule that aborts incomplete multipart uploads
/// after a day.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BucketSettings {
    /// Address of the service, such as `https://s3.example.no`, without bucket or path. None is Amazon's, found by the region.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Region, as requests are signed with. Services without regions take any.
    #[serde(default = "default_region")]
    pub region: String,
    /// Name of the bucket. It must exist.
    pub bucket: String,
    /// Where in the bucket, such as `budstikke/files`. Empty is the top. Other objects there are left alone.
    #[serde(default)]
    pub prefix: String,
    /// Access key. Without it and the secret, credentials come from the environment as Amazon's tools know it (`AWS_ACCESS_KEY_ID`
    /// and so on, web identity, container), or from the machine's instance metadata.
    #[serde(default)]
    pub access_key: Option<String>,
    /// The access key's secret.
    #[serde(default)]
    pub secret: Option<String>,
    /// True: `https://service/bucket/key`, which every service takes. False: `https://bucket.service/key`.
    #[serde(default = "default_path_style")]
    pub path_style: bool,
    /// Allows an endpoint with `http://`. Content is encrypted, but anybody between can withhold or remove it.
    #[serde(default)]
    pub allow_http: bool,
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

fn default_path_style() -> bool {
    true
}

/// Without the secret.
impl fmt::Debug for BucketSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketSettings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("path_style", &self.path_style)
            .field("allow_http", &self.allow_http)
            .finish_non_exhaustive()
    }
}

/// Where credentials come from when the settings have none. Only these: address, region and the rest are the settings' to say.
const CREDENTIALS: &[(&str, AmazonS3ConfigKey)] = &[
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    ("AWS_ENDPOINT_URL_STS", AmazonS3ConfigKey::StsEndpoint),
    (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
    ),
    (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        AmazonS3ConfigKey::ContainerCredentialsFullUri,
    ),
    (
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        AmazonS3ConfigKey::ContainerAuthorizationTokenFile,
    ),
    ("AWS_METADATA_ENDPOINT", AmazonS3ConfigKey::MetadataEndpoint),
];

impl BucketSettings {
    /// The address of the service with the bucket in it, when the settings name one.
    fn address(&self) -> io::Result<Option<String>> {
        let Some(endpoint) = &self.endpoint else {
            return Ok(None);
        };
        let refused = |why: &str| Err(wrong(&format!("endpoint {why}")));
        let (scheme, host) = endpoint.split_once("://").unwrap_or_default();
        let host = host.trim_end_matches('/');
        match scheme {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return refused("is http://; to allow that, set allow-http"),
            _ => return refused("must begin with https://"),
        }
        // A user and password there would end up in every error.
        if host.is_empty() || host.contains(['/', '@', '?', '#']) {
            return refused("must be scheme and host alone, such as https://s3.example.no");
        }
        Ok(Some(if self.path_style {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{}.{host}", self.bucket)
        }))
    }

    pub(super) fn path(&self) -> io::Result<Path> {
        Path::parse(&self.prefix).map_err(|error| wrong(&format!("prefix: {error}")))
    }

    /// What errors call the bucket.
    pub(super) fn label(&self) -> String {
        let service = self.endpoint.as_deref().unwrap_or("Amazon");
        format!("the bucket {:?} at {service}", self.bucket)
    }

    pub(super) fn connect(
        &self,
        patience: &Patience,
        environment: impl Fn(&str) -> Option<String>,
    ) -> io::Result<AmazonS3> {
        if self.bucket.is_empty() || self.bucket.contains('/') {
            return Err(wrong("bucket must be the name of a bucket"));
        }
        let mut builder = AmazonS3Builder::new()
            .with_region(&self.region)
            .with_bucket_name(&self.bucket)
            .with_virtual_hosted_style_request(!self.path_style)
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: patience.first_wait,
                    max_backoff: patience.longest_wait,
                    base: 2.0,
                },
                max_retries: patience.retries,
                retry_timeout: patience.altogether,
            })
            .with_client_options(
                ClientOptions::new()
                    .with_connect_timeout(patience.connect)
                    .with_timeout(patience.request)
                    .with_allow_http(self.allow_http),
            );
        if let Some(address) = self.address()? {
            builder = builder.with_endpoint(address);
        }
        builder = match (&self.access_key, &self.secret) {
            (Some(key), Some(secret)) => builder.with_access_key_id(key).with_secret_access_key(secret),
            (None, None) => CREDENTIALS.iter().fold(builder, |builder, (name, key)| {
                match environment(name).filter(|value| !value.is_empty()) {
                    Some(value) => builder.with_config(*key, value),
                    None => builder,
                }
            }),
            _ => return Err(wrong("access-key and secret belong together")),
        };
        builder.build().map_err(|error| wrong(&error.to_string()))
    }
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("the bucket's settings: {why}"))
}
