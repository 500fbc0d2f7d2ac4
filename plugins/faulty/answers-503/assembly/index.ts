// Loads, is configured, and answers every request with 503.
import { Action, registerPlugin, RootContext, sendLocalResponse, StreamContext } from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class Answers503 extends RootContext {
  createStream(): StreamContext {
    return new AnsweringStream();
  }
}

class AnsweringStream extends StreamContext {
  onRequestHeaders(): i32 {
    sendLocalResponse(503, "answers-503\n");
    return Action.pause;
  }
}

registerPlugin(() => new Answers503());
