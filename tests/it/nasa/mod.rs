//! NASA's services, played by a server on this machine.

pub(crate) mod cmr;
