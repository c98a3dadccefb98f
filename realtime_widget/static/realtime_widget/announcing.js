/** What a page hears of a conversation, as names and details of events. Pure. */

/** Messages that a page hears of under the same name, with the same fields. */
const AS_THEY_ARE = ["tool.finished", "handoff", "guardrail", "usage", "warning"];

/**
 * Return the events that tell a page of a server's message.
 *
 * Those that begin with `conversation.` are named and filled as in the realtime client
 * library that many pages were written for.
 *
 * @param {Record<string, any>} message
 * @param {import("./transcript.js").Line[]} lines The message is in them.
 * @returns {[string, object][]}
 */
export function eventsOf(message, lines) {
  if (message.type === "speech.started") {
    return [["conversation.interrupted", { at_ms: message.at_ms }]];
  }
  if (message.type === "transcript") {
    const line = lines.find(({ itemId }) => itemId === message.item_id);
    return line ? conversationEvents(line, message) : [];
  }
  if (message.type === "tool.approval_required") {
    return [["realtime-widget:tool", { ...message, status: "approval" }]];
  }
  if (message.type === "tool.started") {
    return [["realtime-widget:tool", { ...message, status: "started" }]];
  }
  if (!AS_THEY_ARE.includes(message.type)) return [];
  return [[`realtime-widget:${message.type.split(".")[0]}`, message]];
}

/**
 * @param {import("./transcript.js").Line} line
 * @param {Record<string, any>} message A `transcript`.
 * @returns {[string, object][]}
 */
function conversationEvents({ itemId, role, text, final }, message) {
  const item = { item_id: itemId, role, text, completed: final };
  const delta = message.delta ?? "";
  /** @type {[string, object][]} */
  const events = [["conversation.updated", { item, delta }]];
  if (message.final === true) events.push(["conversation.item.completed", { item }]);
  return events;
}

/**
 * Return how a page is told of a line.
 *
 * @param {import("./transcript.js").Line} line
 */
export function transcriptOf({ itemId, role, text, final }) {
  return { item_id: itemId, role, text, final };
}

/**
 * Return how a page is told of a complete line.
 *
 * @param {import("./transcript.js").Line} line
 */
export function messageOf({ role, text }) {
  const message = { role: role === "assistant" ? "ai" : "user", text };
  return { message, isHistory: false, isInitial: false };
}

/**
 * Return what the agent uses now: a note of the server, or the tool's name.
 *
 * @param {Record<string, any>} message
 * @param {string} before What it used until now.
 */
export function toolInUse(message, before) {
  if (message.type === "tool.finished") return "";
  if (message.type !== "tool.started") return before;
  return message.note || message.name.replaceAll("_", " ");
}
