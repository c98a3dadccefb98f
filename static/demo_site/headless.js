/** A page that shows nothing of the widget: its own button, its own words. */

const widget = document.querySelector("realtime-widget");
const button = document.getElementById("talk");
const heard = document.getElementById("heard");

button.addEventListener("click", () => {
  if (widget.state === "idle" || widget.state === "error") widget.start();
  else widget.stop();
});
widget.addEventListener("realtime-widget:state", ({ detail }) => {
  const talks = detail.state !== "idle" && detail.state !== "error";
  button.setAttribute("aria-pressed", String(talks));
  heard.textContent = talks ? detail.state : "";
});
widget.addEventListener("realtime-widget:message", ({ detail }) => {
  heard.textContent = detail.message.text;
});
