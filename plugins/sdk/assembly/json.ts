// A reader for what a pluginConfig usually is: one flat JSON object. Nested values are skipped and kept as text.
// https://www.rfc-editor.org/rfc/rfc8259

/** What stands behind a key, in the words of an error message. */
export namespace JsonKind {
  export const missing = "nothing";
  export const string = "string";
  export const number = "number";
  export const boolean = "boolean";
  export const nothing = "null";
  export const nested = "object or array";
}

/** The members of a JSON object. `fault` is "" where the text was one. */
export class JsonObject {
  readonly keys: string[] = [];
  fault: string = "";
  private readonly kinds: string[] = [];
  private readonly values: string[] = [];

  set(key: string, kind: string, value: string): void {
    this.keys.push(key);
    this.kinds.push(kind);
    this.values.push(value);
  }

  kind(key: string): string {
    const at = this.keys.lastIndexOf(key);
    return at < 0 ? JsonKind.missing : this.kinds[at];
  }

  /** A string's content, a number's or a nested value's text, `true` or `false`; the default where there is none. */
  get(key: string, otherwise: string): string {
    const at = this.keys.lastIndexOf(key);
    return at < 0 ? otherwise : this.values[at];
  }
}

/** Reads one JSON object; an empty text counts as `{}`. What is wrong stands in `fault`. */
export function parseJsonObject(text: string): JsonObject {
  const object = new JsonObject();
  if (text.length > 0 && !new Parser(text).readInto(object)) object.fault = "expected a JSON object";
  return object;
}

class Parser {
  private at: i32 = 0;
  /** What the last `readString` or `readValue` read. */
  private value: string = "";
  private kind: string = "";

  constructor(private readonly text: string) {}

  readInto(object: JsonObject): bool {
    if (!this.take(0x7b)) return false;
    if (this.take(0x7d)) return this.isAtEnd();
    do {
      if (!this.readString()) return false;
      const key = this.value;
      if (!this.take(0x3a) || !this.readValue()) return false;
      object.set(key, this.kind, this.value);
    } while (this.take(0x2c));
    return this.take(0x7d) && this.isAtEnd();
  }

  private isAtEnd(): bool {
    return this.peek() < 0;
  }

  /** The next character that is no white space, -1 at the end. */
  private peek(): i32 {
    while (this.at < this.text.length) {
      const code = this.text.charCodeAt(this.at);
      if (code != 0x20 && code != 0x09 && code != 0x0a && code != 0x0d) return code;
      this.at++;
    }
    return -1;
  }

  private take(code: i32): bool {
    if (this.peek() != code) return false;
    this.at++;
    return true;
  }

  private readValue(): bool {
    const code = this.peek();
    if (code == 0x22) {
      this.kind = JsonKind.string;
      return this.readString();
    }
    const start = this.at;
    const isGood = code == 0x7b || code == 0x5b ? this.skipNested() : this.skipWord();
    this.value = this.text.substring(start, this.at);
    return isGood && this.nameKind(code);
  }

  private nameKind(code: i32): bool {
    const word = this.value;
    if (code == 0x7b || code == 0x5b) this.kind = JsonKind.nested;
    else if (word == "true" || word == "false") this.kind = JsonKind.boolean;
    else if (word == "null") this.kind = JsonKind.nothing;
    else if (code == 0x2d || (code >= 0x30 && code <= 0x39)) this.kind = JsonKind.number;
    else return false;
    return true;
  }

  private skipWord(): bool {
    const start = this.at;
    while (this.at < this.text.length && isWord(this.text.charCodeAt(this.at))) this.at++;
    return this.at > start;
  }

  private skipNested(): bool {
    let depth = 0;
    do {
      const code = this.peek();
      if (code < 0) return false;
      if (code == 0x22) {
        if (!this.readString()) return false;
        continue;
      }
      if (code == 0x7b || code == 0x5b) depth++;
      if (code == 0x7d || code == 0x5d) depth--;
      this.at++;
    } while (depth > 0);
    return true;
  }

  private readString(): bool {
    if (!this.take(0x22)) return false;
    let value = "";
    while (this.at < this.text.length) {
      const code = this.text.charCodeAt(this.at++);
      if (code == 0x22) {
        this.value = value;
        return true;
      }
      if (code < 0x20) return false;
      const character = code == 0x5c ? this.readEscape() : code;
      if (character < 0) return false;
      value += String.fromCharCode(character);
    }
    return false;
  }

  /** The character of an escape, -1 where it is none. */
  private readEscape(): i32 {
    const code = this.at < this.text.length ? this.text.charCodeAt(this.at++) : -1;
    switch (code) {
      case 0x22: case 0x5c: case 0x2f: return code;
      case 0x62: return 0x08;
      case 0x66: return 0x0c;
      case 0x6e: return 0x0a;
      case 0x72: return 0x0d;
      case 0x74: return 0x09;
      case 0x75: return this.readHex();
      default: return -1;
    }
  }

  private readHex(): i32 {
    let value = 0;
    for (let digit = 0; digit < 4; digit++) {
      const code = this.at < this.text.length ? this.text.charCodeAt(this.at++) | 0x20 : 0;
      if (code >= 0x30 && code <= 0x39) value = value * 16 + code - 0x30;
      else if (code >= 0x61 && code <= 0x66) value = value * 16 + code - 0x57;
      else return -1;
    }
    return value;
  }
}

/** Letters, digits, plus, minus, point: what numbers, `true`, `false` and `null` are made of. */
function isWord(code: i32): bool {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39) || code == 0x2b || code == 0x2d || code == 0x2e;
}
