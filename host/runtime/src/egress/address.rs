//! Which addresses a name may lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far away an address is. The server's own requests to places that a client names are held to the same table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// On the internet.
    Public,
    /// Inside a private network.
    Private,
    /// This machine.
    Loopback,
    /// Link-local (cloud metadata lives there), multicast, reserved: never by name.
    Never,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u32, reach: Reach) -> (u32, u32, Reach) {
    (Ipv4Addr::new(a, b, c, d).to_bits(), bits, reach)
}

/// IANA's special-purpose registry for IPv4, first match wins; what is not here is public. Before it, services that a
/// cloud offers its machines: Azure's platform and Alibaba's metadata.
const SPECIAL_V4: &[(u32, u32, Reach)] = &[
    v4(168, 63, 129, 16, 32, Reach::Never),
    v4(100, 100, 100, 200, 32, Reach::Never),
    v4(0, 0, 0, 0, 8, Reach::Never),
    v4(10, 0, 0, 0, 8, Reach::Private),
    v4(100, 64, 0, 0, 10, Reach::Private),
    v4(127, 0, 0, 0, 8, Reach::Loopback),
    v4(169, 254, 0, 0, 16, Reach::Never),
    v4(172, 16, 0, 0, 12, Reach::Private),
    v4(192, 0, 0, 0, 24, Reach::Never),
    v4(192, 0, 2, 0, 24, Reach::Never),
    v4(192, 88, 99, 0, 24, Reach::Never),
    v4(192, 168, 0, 0, 16, Reach::Private),
    v4(198, 18, 0, 0, 15, Reach::Never),
    v4(198, 51, 100, 0, 24, Reach::Never),
    v4(203, 0, 113, 0, 24, Reach::Never),
    v4(224, 0, 0, 0, 4, Reach::Never),
    v4(240, 0, 0, 0, 4, Reach::Never),
];

const fn v6(a: u16, b: u16, c: u16, bits: u32, reach: Reach) -> (u128, u32, Reach) {
    (Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_bits(), bits, reach)
}

/// Google's metadata server, `fd20:ce::254`, inside a range that its customers use.
const GOOGLE_METADATA: u128 = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254).to_bits();

/// The same for IPv6, first match wins; what is not here is reserved. AWS has its metadata at `fd00:ec2::254`.
const SPECIAL_V6: &[(u128, u32, Reach)] = &[
    v6(0xfd00, 0x0ec2, 0, 32, Reach::Never),
    (GOOGLE_METADATA, 128, Reach::Never),
    v6(0xfc00, 0, 0, 7, Reach::Private),
    v6(0x2001, 0, 0, 23, Reach::Never),
    v6(0x2001, 0xdb8, 0, 32, Reach::Never),
    v6(0x2002, 0, 0, 16, Reach::Never),
    v6(0x3fff, 0, 0, 20, Reach::Never),
    v6(0x2000, 0, 0, 3, Reach::Public),
];

/// How far away an address is. An IPv4 address inside an IPv6 one (mapped, NAT64) counts as what it is.
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => {
            let bits = address.to_bits();
            find(SPECIAL_V4, |base, length| (bits ^ base) >> (32 - length) == 0).unwrap_or(Reach::Public)
        }
        IpAddr::V6(address) => {
            if address == Ipv6Addr::LOCALHOST {
                return Reach::Loopback;
            }
            if let Some(inner) = address.to_ipv4_mapped().or_else(|| nat64(address)) {
                return reach(IpAddr::V4(inner));
            }
            let bits = address.to_bits();
            find(SPECIAL_V6, |base, length| (bits ^ base) >> (128 - length) == 0).unwrap_or(Reach::Never)
        }
    }
}

fn find<T: Copy>(table: &[(T, u32, Reach)], is_in: impl Fn(T, u32) -> bool) -> Option<Reach> {
    table
        .iter()
        .find(|(base, length, _)| is_in(*base, *length))
        .map(|(_, _, reach)| *reach)
}

/// `64:ff9b::/96`, RFC 6052.
fn nat64(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, ..] = address.segments() else {
        return None;
    };
    let [.., a, b, c, d] = address.octets();
    Some(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Reach {
        reach(text.parse().unwrap())
    }

    #[test]
    fn the_internet_is_public() {
        for text in [
            "51.120.0.1",
            "1.1.1.1",
            "172.32.0.1",
            "168.63.129.17",
            "100.128.0.1",
            "2a02:c0::1",
            "2606:4700::1111",
        ] {
            assert_eq!(of(text), Reach::Public, "{text}");
        }
    }

    #[test]
    fn private_networks_are_private() {
        for text in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.100.100.199",
            "fd20:ce::253",
            "fd12::1",
            "fc00::1",
        ] {
            assert_eq!(of(text), Reach::Private, "{text}");
        }
    }

    #[test]
    fn the_machine_itself_is_loopback() {
        for text in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(of(text), Reach::Loopback, "{text}");
        }
    }

    #[test]
    fn metadata_link_local_and_reserved_addresses_are_out_of_reach() {
        for text in [
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::",
            "::127.0.0.1",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "2002:7f00:1::",
            "2001:db8::1",
            "64:ff9b:1::1",
        ] {
            assert_eq!(of(text), Reach::Never, "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_in_disguise_counts_as_what_it_is() {
        assert_eq!(of("::ffff:10.0.0.1"), Reach::Private);
        assert_eq!(of("::ffff:169.254.169.254"), Reach::Never);
        assert_eq!(of("64:ff9b::a00:1"), Reach::Private);
        assert_eq!(of("64:ff9b::101:101"), Reach::Public);
    }
}
