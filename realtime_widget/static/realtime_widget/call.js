/**
 * One call after another: microphone, speaker and socket around the session's state.
 *
 * Knows nothing of what a widget looks like; tells its owner what has changed.
 *
 * @typedef {object} CallEvents
 * @property {() => void} onChange The state or a flag is another.
 * @property {(message: Record<string, any>) => void} onMessage A server's message.
 * @property {(line: import("./transcript.js").Line, isFinal: boolean) => void} onLine
 * @property {() => void} onStarted
 * @property {() => void} onCut The connection is lost: what the server asked is void.
 * @property {(resumed: boolean) => void} onBack It is there again; whether the model
 *   knows what was said.
 * @property {() => void} onRestored The lines of the conversation are others.
 * @property {(left: import("./resume-store.js").Left | null, isHeld: boolean) => void}
 *   onResumable What another page may go on with, null for nothing; and whether this
 *   one still has it.
 * @property {(detail: {reason: string, duration_s: number}) => void} onStopped
 * @property {(failure: import("./failing.js").FailureTold) => void} onFailure
 *
 * @typedef {import("./audio/sound.js").SoundConfig &
 *   {sessionUrl: string, language: string}} CallConfig
 */

import { chosen } from "./choices.js";
import { Failing } from "./failing.js";
import { Link } from "./link.js";
import { Saying } from "./saying.js";
import { Session } from "./session.js";
import { Transcript } from "./transcript.js";

const REPORT_INTERVAL_MS = 250;

export class Call {
  session = new Session();
  transcript = new Transcript();
  #events;
  /** @type {CallConfig} */
  #config;
  #saying;
  /** @type {Link | null} */
  #link = null;
  #loadSound;
  /** @type {import("./audio/sound.js").Sound | null} */
  #sound = null;
  #reportedAtMs = 0;
  /** @type {Record<string, unknown> | null} What was heard last, as it is reported. */
  #heard = null;
  #capturedFrames = 0;
  #level = 0;
  #startedAtMs = 0;
  /** Those that wait for the server's word after a stop. */
  /** @type {Set<Link>} */
  #leaving = new Set();
  #failing;
  #handedOn = false; // from another page
  /** @type {Record<string, unknown>} */
  #lastStats = {};

  /**
   * @param {CallConfig} config
   * @param {CallEvents} events
   * @param {() => Promise<typeof import("./audio/sound.js")>} [loadSound] Brings the
   *   parts that only a call by voice needs.
   */
  constructor(config, events, loadSound = () => import("./audio/sound.js")) {
    this.#config = config;
    this.#events = events;
    this.#loadSound = loadSound;
    this.#failing = new Failing(this.session, events.onFailure);
    const way = {
      send: (/** @type {Record<string, unknown>} */ message) => this.#send(message),
      sendAudio: (/** @type {ArrayBuffer} */ frame) => this.#link?.sendAudio(frame),
    };
    this.#saying = new Saying(this.session, way, {
      frameMs: config.audio.frameMs,
      silence: () => this.#fallSilent(),
      onChange: () => this.#events.onChange(),
    });
  }

  /** Loudness of what is played, for the avatar. */
  get analyser() {
    return this.#sound?.analyser ?? null;
  }

  /** Loudness of what is said, 0 to 1. */
  get level() {
    return this.session.muted ? 0 : this.#level;
  }

  /**
   * Begin a call; must run in a gesture where the browser wants one.
   *
   * @param {{textOnly: boolean, variables?: Record<string, unknown>, resume?: string}}
   *   options `resume` names a conversation to go on with.
   */
  async start({ textOnly, variables = {}, resume = "" }) {
    if (this.session.active) return;
    const generation = this.session.start({ textOnly });
    this.transcript.clear();
    this.#saying.begin();
    this.#capturedFrames = 0;
    this.#startedAtMs = 0;
    this.#failing.begin();
    this.#handedOn = resume !== "";
    this.#events.onChange();
    try {
      if (!textOnly) await this.#openSound(generation);
    } catch (error) {
      if (generation === this.session.generation) this.#refused(error);
    }
    if (generation !== this.session.generation) return;
    const link = this.#linked(resume);
    this.#link = link;
    const wish = { language: this.#config.language, text_only: this.session.textOnly };
    await link.open(wish, variables);
  }

  /** End the call: silent at once, and the server is told. */
  stop() {
    if (!this.session.active) return;
    const detail = { reason: "user", duration_s: this.#durationS() };
    const link = this.#end();
    this.#events.onResumable(null, false);
    this.#events.onChange();
    if (!link) {
      this.#events.onStopped(detail);
      return;
    }
    this.#leaving.add(link);
    link.leave(() => {
      this.#leaving.delete(link);
      this.#events.onStopped(detail);
    });
  }

  /**
   * End the call without waiting: the page goes away.
   *
   * @param {boolean} goesOn Whether another page may go on with the conversation.
   */
  abandon(goesOn) {
    const resume = this.#link?.resume;
    if (goesOn && resume && this.session.active) {
      const { textOnly, muted } = this.session;
      const duration_s = this.#durationS();
      this.#end()?.close();
      this.#events.onResumable({ token: resume, textOnly, muted }, false);
      this.#events.onChange();
      this.#events.onStopped({ reason: "user", duration_s });
    } else {
      this.stop();
    }
    for (const link of [...this.#leaving]) link.hurry();
  }

  /** Mute or unmute; holds for later calls too. */
  toggleMicrophone() {
    this.session.muted = !this.session.muted;
    if (this.#sound) this.#sound.muted = this.session.muted;
    this.#send({ type: "microphone", muted: this.session.muted });
    this.#events.onChange();
  }

  /**
   * Say something in writing; the words wait until the session has started.
   *
   * @param {string} text
   * @param {string} role
   * @param {import("./saying.js").Picture} [picture]
   */
  sendMessage(text, role, picture) {
    this.#saying.write(text, role, picture);
  }

  /** Whether the key of push-to-talk is down. */
  get held() {
    return this.#saying.turn.held;
  }

  /** What is to be seen of that key. */
  get key() {
    const shown = this.session.active && this.session.byKey;
    return {
      shown,
      ready: shown && this.session.started,
      held: this.held,
    };
  }

  /** The key of push-to-talk goes down; does nothing where turns end by themselves. */
  async startTurn() {
    if (!this.session.started || !this.session.byKey) return;
    if (this.session.muted) this.toggleMicrophone();
    await this.#saying.turn.start();
  }

  /** The key goes up: what was said is answered. */
  commitTurn() {
    this.#saying.turn.commit();
  }

  /** What was said is dropped. */
  cancelTurn() {
    this.#saying.turn.cancel();
  }

  /** @param {Record<string, unknown>} config What the widget lets pages change. */
  update(config) {
    this.#send({ type: "session.update", config });
  }

  /** @param {Record<string, unknown>} answer A `tool.result`. */
  answerTool(answer) {
    this.#saying.answer(answer);
  }

  /** Silence the answer. */
  async interrupt() {
    const heard = await this.#fallSilent();
    if (!heard) return;
    this.#send({
      type: "interrupt",
      item_id: heard.itemId,
      played_ms: heard.playedMs,
    });
  }

  async #fallSilent() {
    const heard = (await this.#sound?.interrupt()) ?? null;
    this.session.setPlaying(false);
    this.#events.onChange();
    return heard;
  }

  /** Let sound run after the browser wanted a gesture; call it in one. */
  async unlock() {
    await this.#sound?.unlock();
    this.#soundChanged();
  }

  /** Take up what the visitor has chosen of devices and volume. */
  async choose() {
    const sound = this.#sound;
    try {
      await sound?.choose(chosen());
    } catch (error) {
      const { faultOf } = await this.#loadSound();
      if (sound === this.#sound) this.#failing.notice(faultOf(error));
    }
  }

  /** Counters for tests and for support. */
  getStats() {
    return { ...this.#lastStats, ...this.#sound?.stats, ...this.#link?.stats };
  }

  // --- opening ---------------------------------------------------------------

  /** @param {number} generation */
  async #openSound(generation) {
    const { faultOf, Sound } = await this.#loadSound();
    if (generation !== this.session.generation) return;
    const events = {
      /** @type {import("./audio/sound.js").SoundEvents["onFrame"]} */
      onFrame: (frame, level) => this.#captured(generation, frame, level),
      /** @type {import("./audio/sound.js").SoundEvents["onPosition"]} */
      onPosition: (position) => this.#position(generation, position),
      onMicrophoneLost: () => this.#failing.notice("mic_missing"),
      onContextChange: () => this.#soundChanged(),
    };
    const sound = new Sound(this.#config, events, chosen());
    this.#sound = sound;
    sound.muted = this.session.muted;
    try {
      await sound.open();
    } catch (error) {
      if (generation !== this.session.generation) return;
      this.#sound = null;
      this.session.textOnly = true;
      this.session.microphoneReady();
      this.#failing.notice(faultOf(error));
    }
    if (generation === this.session.generation) this.#soundChanged();
  }

  #soundChanged() {
    this.session.needsGesture = this.#sound?.blocked ?? false;
    this.#events.onChange();
  }

  /** @param {string} resume */
  #linked(resume) {
    /** @type {import("./link.js").LinkEvents} */
    const events = {
      onMessage: (message) => this.#take(message),
      onAudio: (audio) => this.#sound?.push(audio),
      onCut: () => this.#cut(),
      onClosed: (code) => {
        this.#failing.closed(code);
        this.#finish(Session.reasonOfClose(code), this.#durationS());
      },
      onRefused: (error) => this.#refused(error),
    };
    return new Link(this.#config.sessionUrl, events, resume);
  }

  // --- what comes in -----------------------------------------------------------

  /** @param {Record<string, any>} message */
  #take(message) {
    this.session.take(message);
    this.#saying.asked(message);
    if (!this.session.byKey) this.#saying.turn.reset();
    const handle = HANDLERS[message.type];
    if (handle) handle(this.#inside, message);
    this.#events.onMessage(message);
    this.#events.onChange();
  }

  /** What the table of handlers may touch. */
  #inside = {
    /** @param {Record<string, any>} message */
    started: (message) => this.#started(message),
    /** @param {Record<string, any>} message */
    stopped: (message) => this.#finish(message.reason, message.duration_s),
    /** @param {Record<string, any>} message */
    line: (message) => {
      const line = this.transcript.take(
        /** @type {import("./transcript.js").TranscriptMessage} */ (message),
      );
      if (line.final) this.#saying.seen(line);
      this.#events.onLine(line, message.final === true);
    },
    /** @param {string} itemId */
    speak: (itemId) => {
      this.#sound?.speak(itemId);
    },
    /** @param {string} itemId */
    spoken: (itemId) => {
      this.#sound?.spoken(itemId);
    },
    /** @param {string} itemId */
    interrupted: (itemId) => this.#interrupted(itemId),
    /** @param {Record<string, any>} message */
    failure: (message) => this.#failing.said(message),
  };

  /** @param {Record<string, any>} message */
  #started({ resume, resumed, history = [], version }) {
    const isBack = this.#startedAtMs > 0;
    if (!isBack) this.#startedAtMs = performance.now();
    // It was heard on while there was nobody to tell.
    if (isBack && this.#heard) this.#send(this.#heard);
    this.#saying.heard(this.#goOn(resumed === true, isBack, history));
    const { textOnly, muted } = this.session;
    if (resume) this.#events.onResumable({ token: resume, textOnly, muted }, true);
    if (isBack) this.#events.onBack(resumed === true);
    else this.#events.onStarted();
    this.#failing.compare(version);
  }

  /**
   * Take up what was said in earlier sessions of the conversation.
   *
   * @param {boolean} resumed Whether the model knows it.
   * @param {boolean} isBack Whether this page has been there.
   * @param {import("./transcript.js").Said[]} history
   * @returns What of it was not known here.
   */
  #goOn(resumed, isBack, history) {
    const { sessionId } = this.session;
    if (!resumed) this.transcript.begin(sessionId);
    if (!resumed && !isBack && !this.#handedOn) return [];
    const arrived = resumed ? this.transcript.resume(history, sessionId) : [];
    if (!resumed) this.#failing.notice("new_conversation");
    this.#events.onRestored();
    return arrived;
  }

  /** The connection is lost; it is being made anew. */
  #cut() {
    this.session.cut();
    this.#saying.turn.reset();
    this.#sound?.finish();
    this.#events.onCut();
    this.#events.onChange();
  }

  /** @param {string} itemId */
  async #interrupted(itemId) {
    const line = this.transcript.interrupt(itemId);
    const heard = await this.#sound?.interrupt();
    this.session.setPlaying(false);
    this.#send({
      type: "playback",
      item_id: itemId,
      played_ms: heard?.itemId === itemId ? heard.playedMs : 0,
      done: true,
    });
    if (line) this.#events.onLine(line, line.final);
    this.#events.onChange();
  }

  /**
   * @param {number} generation
   * @param {ArrayBuffer} frame
   * @param {number} level
   */
  #captured(generation, frame, level) {
    if (generation !== this.session.generation) return;
    this.#capturedFrames += 1;
    this.#level = level;
    if (this.#capturedFrames === 1) {
      this.session.microphoneReady();
      this.#events.onChange();
    }
    this.#saying.speak(frame);
  }

  /**
   * @param {number} generation
   * @param {{itemId: string, playedMs: number, done: boolean}} position
   */
  #position(generation, { itemId, playedMs, done }) {
    if (generation !== this.session.generation) return;
    const wasPlaying = this.session.state === "speaking";
    this.session.setPlaying(!done);
    if (done === wasPlaying) this.#events.onChange();
    const played_ms = Math.floor(playedMs);
    this.#heard = { type: "playback", item_id: itemId, played_ms, done };
    const nowMs = performance.now();
    if (!done && nowMs - this.#reportedAtMs < REPORT_INTERVAL_MS) return;
    this.#reportedAtMs = nowMs;
    this.#send(this.#heard);
  }

  // --- the end -----------------------------------------------------------------

  /** @param {unknown} error */
  #refused(error) {
    this.#failing.refused(error);
    this.#finish("error", this.#durationS());
  }

  /**
   * @param {string} reason
   * @param {number} durationS
   */
  #finish(reason, durationS) {
    if (!this.session.active) return;
    this.#end()?.close();
    this.#events.onResumable(null, false);
    this.#events.onChange();
    this.#events.onStopped({ reason, duration_s: durationS });
  }

  /** Nothing is heard or said any more; hand out the way that was used. */
  #end() {
    this.#endSound();
    const link = this.#link;
    this.#link = null;
    this.session.end();
    return link;
  }

  #endSound() {
    this.#saying.turn.reset();
    this.#lastStats = this.getStats();
    this.#sound?.close();
    this.#sound = null;
    this.#level = 0;
  }

  #durationS() {
    return this.#startedAtMs ? (performance.now() - this.#startedAtMs) / 1000 : 0;
  }

  /** @param {Record<string, unknown>} message */
  #send(message) {
    this.#link?.send(message);
  }
}

/**
 * What the call does for each message; everything else only changes the state.
 *
 * @type {Record<string, (call: any, message: Record<string, any>) => void>}
 */
const HANDLERS = {
  "session.started": (call, message) => call.started(message),
  "session.stopped": (call, message) => call.stopped(message),
  transcript: (call, message) => call.line(message),
  "audio.start": (call, message) => call.speak(message.item_id),
  "audio.end": (call, message) => call.spoken(message.item_id),
  "audio.interrupted": (call, message) => call.interrupted(message.item_id),
  error: (call, message) => call.failure(message),
};
