// Asks for a user and a password (RFC 7617) and hands the user's name on in a header.
// pluginConfig: {"realm": "example", "users": {"alice": "secret"}, "userHeader": "x-auth-user"}; users must be there.
import {
  Action, decodeBase64, Headers, JsonKind, JsonObject, log, LogLevel, parseJsonObject, pluginConfiguration, registerPlugin,
  requestHeaders, RootContext, sendLocalResponse, StreamContext,
} from "../../sdk/assembly";

export * from "../../sdk/assembly/abi";
export * from "../../sdk/assembly/callbacks";

class BasicAuth extends RootContext {
  realm: string = "";
  userHeader: string = "";
  users: JsonObject = new JsonObject();

  onConfigure(size: u32): bool {
    const config = parseJsonObject(pluginConfiguration(size));
    const users = parseJsonObject(config.get("users", ""));
    const fault = findFault(config, users);
    if (fault.length > 0) {
      log(LogLevel.error, fault);
      return false;
    }
    this.realm = config.get("realm", "restricted");
    this.userHeader = config.get("userHeader", "x-auth-user");
    this.users = users;
    return true;
  }

  createStream(): StreamContext {
    return new BasicAuthStream(this);
  }

  /** The user whose password came with a request; null where it is nobody's. */
  findUser(authorization: string | null): string | null {
    if (authorization === null || authorization.substring(0, 6).toLowerCase() != "basic ") return null;
    const pair = decodeBase64(authorization.substring(6).trim());
    if (pair === null) return null;
    const colon = pair.indexOf(":");
    if (colon < 0) return null;
    const user = pair.substring(0, colon);
    const isKnown = this.users.kind(user) == JsonKind.string;
    return isSame(this.users.get(user, ""), pair.substring(colon + 1)) && isKnown ? user : null;
  }
}

class BasicAuthStream extends StreamContext {
  constructor(private readonly root: BasicAuth) {
    super();
  }

  onRequestHeaders(): i32 {
    const root = this.root;
    const user = root.findUser(requestHeaders.get("authorization"));
    if (user === null) {
      const challenge = new Headers().add("www-authenticate", 'Basic realm="' + root.realm + '", charset="UTF-8"');
      sendLocalResponse(401, "a user and a password are needed\n", challenge, "basic_auth_denied");
      return Action.pause;
    }
    // What the client says of itself does not count.
    requestHeaders.replace(root.userHeader, user);
    return Action.proceed;
  }
}

/** Takes as long for a wrong first character as for a wrong last one. */
function isSame(expected: string, given: string): bool {
  let difference = expected.length ^ given.length;
  for (let i = 0; i < given.length; i++)
    difference |= given.charCodeAt(i) ^ (i < expected.length ? expected.charCodeAt(i) : 0);
  return difference == 0;
}

/** What is wrong with a configuration, "" where nothing is. The schema beside this file says the same to Attaché. */
function findFault(config: JsonObject, users: JsonObject): string {
  if (config.fault.length > 0) return config.fault;
  for (let i = 0; i < config.keys.length; i++) {
    const key = config.keys[i];
    if (key == "users") continue;
    if (key != "realm" && key != "userHeader") return key + ": unknown; there are realm, users and userHeader";
    if (config.kind(key) != JsonKind.string) return key + ": expected a string, got " + config.kind(key);
  }
  if (config.kind("users") == JsonKind.missing) return "users: missing; write {\"alice\": \"secret\"}";
  if (users.fault.length > 0) return "users: expected an object of names and passwords";
  if (users.keys.length == 0) return "users: there is nobody in it";
  for (let i = 0; i < users.keys.length; i++) {
    const user = users.keys[i];
    if (user.length == 0 || user.includes(":") || !isPrintable(user)) return "users: a name is empty, or has a colon in it";
    if (users.kind(user) != JsonKind.string || users.get(user, "").length == 0)
      return "users." + user + ": expected a password";
  }
  const realm = config.get("realm", "");
  if (!isPrintable(realm) || realm.includes('"') || realm.includes("\\")) return "realm: quotes and backslashes are not allowed";
  if (!isHeaderName(config.get("userHeader", "x"))) return "userHeader: not a header name";
  return "";
}

/** What may stand in a header without escapes. */
function isPrintable(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code == 0x7f) return false;
  }
  return true;
}

/** Letters, digits and hyphens: less than a token of RFC 9110, and every header in use. */
function isHeaderName(name: string): bool {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const lower = code | 0x20;
    if (!((lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39) || code == 0x2d)) return false;
  }
  return name.length > 0;
}

registerPlugin(() => new BasicAuth());
