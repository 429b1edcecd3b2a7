//! A netrc with comments, quotes, a macro and a default entry, for the tests of parsing and editing.

use crate::login::netrc::parse::Netrc;

/// The login and password of `machine` in `text`.
pub(crate) fn login_in(text: &str, machine: &str) -> Option<(String, String)> {
    let netrc = Netrc::parse(text);
    let entry = netrc.entry(machine)?;
    Some((entry.login.clone()?, entry.password.clone()?))
}

/// A login and its password.
pub(crate) fn pair(login: &str, password: &str) -> Option<(String, String)> {
    Some((login.to_owned(), password.to_owned()))
}

/// An entry of every kind.
pub(crate) const FULL: &str = "# my logins, machine urs login no password no
machine ftp.example.org login bob password \"two words \\\"q\\\" \\\\\" account x
macdef init
machine urs.earthdata.nasa.gov login macro password macro
cd /pub

machine urs.earthdata.nasa.gov
    login ann # the project's
    password p#1\\n
default login anonymous password guest
machine late.example.org login l password l
";
