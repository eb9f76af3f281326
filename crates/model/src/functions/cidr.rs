//! Whether an address is of a network.

use std::net::IpAddr;

use super::argument;
use crate::eval::Fault;
use crate::function::{Accepts, Function, Parameter};
use crate::operators::Outcome;
use crate::types::Type;
use crate::value::Value;

pub(super) static CIDR: Function = Function {
    name: "cidr",
    parameters: &[Parameter::one("ip", Accepts::String), Parameter::one("network", Accepts::String)],
    result: |_| Some(Type::Bool),
    takes_null: false,
    doc: "Whether the IPv4 or IPv6 address lies in the network; an IPv4 address that is written as IPv6 is the \
          IPv4 address.",
    examples: &[
        (r#"cidr("10.1.2.3", "10.0.0.0/8")"#, "true"),
        (r#"cidr("11.1.2.3", "10.0.0.0/8")"#, "false"),
        (r#"cidr("2001:db8::1", "2001:db8::/32")"#, "true"),
        (r#"cidr("::ffff:10.1.2.3", "10.0.0.0/8")"#, "true"),
        (r#"cidr("10.1.2", "10.0.0.0/8")"#, "null"),
    ],
    call,
};

fn call<'a>(arguments: &[Value<'a>]) -> Outcome<Value<'a>> {
    let (ip, network_text) = (argument::str(arguments, 0)?, argument::str(arguments, 1)?);
    let address = address(ip).ok_or(Fault::Argument)?;
    let (network, prefix) = network(network_text).ok_or(Fault::Argument)?;
    let same_family = address.is_ipv4() == network.is_ipv4();
    Ok((same_family && (bits(address) ^ bits(network)).leading_zeros() >= prefix).into())
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse::<IpAddr>().ok()?.to_canonical())
}

/// An address and how many of its leading bits count; all of them where no number is given.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (network, prefix) = text.split_once('/').map_or((text, None), |(network, prefix)| (network, Some(prefix)));
    let network: IpAddr = network.parse().ok()?;
    let longest = if network.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(longest), |prefix| prefix.parse().ok())?;
    (prefix <= longest).then_some((network, prefix))
}

/// The bits of an address from the top, so that a prefix means the same for both families.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}
