/**
 * Connections that may wait to be taken in while the event loop is busy. With Node's 511 the system dropped the rest of 1,000
 * Envoys that fetch a module at once, and each tried again a second later. The system has a bound of its own
 * (`net.core.somaxconn`, 4096 by default).
 */
export const LISTEN_BACKLOG = 4096;
