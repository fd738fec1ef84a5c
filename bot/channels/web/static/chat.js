// Sends messages without reloading the page, and leaves it quickly. Without this script
// the same forms post, and the page comes back with the answer.
"use strict";

const TIMEOUT_MS = 15_000;
const TWICE_MS = 1_000;

const log = document.getElementById("log");
const composer = document.getElementById("composer");
const box = document.getElementById("message");
const leaveLink = document.querySelector(".leave");

const LOOK_MS = 3_000;
const LOOK_HIDDEN_MS = 15_000;
const LOOK_MOST_MS = 60_000;

let queue = Promise.resolve();
let isLooking = false;
let lastEscape = 0;

document.documentElement.classList.add("scripted");

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const pressed = event.submitter;
  const said = pressed && pressed.name ? { [pressed.name]: pressed.value } : { text: box.value };
  if (said.text !== undefined && !said.text.trim()) {
    box.focus();
    return;
  }
  const own = pressed && pressed.name ? pressed.textContent : box.value;
  if (event.target === composer) {
    box.value = "";
  }
  const pending = showPending(own);
  queue = queue.then(() => say(said, pending, event.target === composer));
});

box.addEventListener("keydown", (event) => {
  const isSend = event.key === "Enter" && !event.shiftKey && !event.isComposing;
  if (isSend && matchMedia("(hover: hover)").matches) {
    event.preventDefault();
    composer.requestSubmit();
  }
});

leaveLink.addEventListener("click", (event) => {
  event.preventDefault();
  leave();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") {
    return;
  }
  if (event.timeStamp - lastEscape < TWICE_MS) {
    leave();
  }
  lastEscape = event.timeStamp;
});

// A page that comes back out of the browser's memory may be out of date.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});

async function say(said, pending, typed) {
  let answer;
  try {
    answer = await post("/api/message", said);
  } catch {
    fail(pending, said, typed);
    return;
  }
  pending.remove();
  if (/^\s*\/(forget|delete)\b/i.test(said.text ?? "")) {
    log.replaceChildren();
  }
  const turns = append(answer.html);
  reveal(turns, typed);
  lookForStaff(answer.live);
}

// Once staff may know of the conversation, ask our own server now and then what they wrote.
function lookForStaff(isLive) {
  if (isLive && !isLooking) {
    isLooking = true;
    document.getElementById("watch").hidden = true;
    document.getElementById("live").hidden = false;
    lookAgain(LOOK_MS);
  }
}

function lookAgain(gap) {
  setTimeout(async () => {
    let next = document.hidden ? LOOK_HIDDEN_MS : LOOK_MS;
    try {
      showStaff(await news());
    } catch {
      next = Math.min(gap * 2, LOOK_MOST_MS);
    }
    lookAgain(next);
  }, gap);
}

async function news() {
  const places = [...log.querySelectorAll(".staff")].map((turn) => Number(turn.dataset.place));
  const response = await fetch(`/api/news?seen=${Math.max(0, ...places)}`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    throw new Error("no news");
  }
  return (await response.json()).html;
}

// What a person wrote stands below all else; the open choices of the bot stay open.
function showStaff(html) {
  const turns = [...new DOMParser().parseFromString(html, "text/html").body.children];
  const fresh = turns.filter(
    (turn) => !log.querySelector(`.staff[data-place="${turn.dataset.place}"]`),
  );
  log.append(...fresh);
  fresh[0]?.scrollIntoView({ block: "nearest" });
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!(response.headers.get("content-type") || "").startsWith("application/json")) {
    throw new Error("not an answer");
  }
  return response.json();
}

// The HTML is drawn by our own server, with all that people wrote escaped.
function append(html) {
  const turns = [...new DOMParser().parseFromString(html, "text/html").body.children];
  for (const old of log.querySelectorAll(".choices")) {
    old.remove();
  }
  document.getElementById("latest")?.removeAttribute("id");
  log.append(...turns);
  return turns;
}

// The message box keeps the keyboard for those who type; others are led to the answer.
// An urgent answer stands at the top: a small screen has no room for what was asked.
function reveal(turns, typed) {
  const answer = turns.find((turn) => turn.classList.contains("bot"));
  if (!typed && answer) {
    answer.focus({ preventScroll: true });
  }
  const first = answer?.classList.contains("urgent") ? answer : turns[0];
  first?.scrollIntoView({ block: "start" });
}

function showPending(text) {
  const turn = document.createElement("article");
  turn.className = "turn you pending";
  turn.setAttribute("aria-hidden", "true");
  const bubble = document.createElement("div");
  bubble.className = "text as-typed";
  bubble.textContent = text;
  turn.append(bubble);
  log.append(turn);
  turn.scrollIntoView({ block: "nearest" });
  return turn;
}

function fail(pending, said, typed) {
  const card = document.getElementById("failure").content.cloneNode(true);
  const turns = [...card.children];
  log.append(card);
  pending.classList.remove("pending");
  if (typed && !box.value) {
    box.value = said.text;
  }
  turns[0].scrollIntoView({ block: "start" });
}

function leave() {
  document.title = "\u200b";
  document.body.hidden = true;
  fetch("/api/leave", { method: "POST", keepalive: true }).catch(() => {});
  location.replace(leaveLink.dataset.exit);
}

// A link from another site brings no cookie along (SameSite=Strict); our own request does.
async function resume() {
  lookForStaff("live" in log.dataset);
  if ("begun" in log.dataset) {
    document.getElementById("latest")?.scrollIntoView({ block: "start" });
    return;
  }
  const response = await fetch("/api/conversation");
  const { html, live } = await response.json();
  lookForStaff(live);
  if (html.trim() && !log.querySelector(".you")) {
    reveal(append(html), true);
  }
}

resume().catch(() => {});
