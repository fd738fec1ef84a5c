// The console's own script: keys, clocks, live pages, the alarm. Every page works without it.
"use strict";

const root = document.documentElement.dataset.root;
const { csrf, liveFrom } = document.body.dataset;
const page = document.querySelector(".case-page");
const skew = Date.parse(document.documentElement.dataset.now) - Date.now();
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
document.documentElement.classList.add("scripted");

// ---- times -------------------------------------------------------------------

function span(ms) {
  const s = Math.floor(ms / 1000);
  const two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

function tellTimes() {
  const now = Date.now() + skew;
  for (const each of $$("time[data-due]")) {
    const left = Date.parse(each.dateTime) - now;
    each.textContent = left > 0 ? `${span(left)} left` : `${span(-left)} over`;
    each.className = `clock ${left <= 0 ? "over" : left < 300000 ? "soon" : "ok"}`;
  }
  for (const each of $$("time[data-since]")) {
    each.textContent = span(Math.max(now - Date.parse(each.dateTime), 0));
  }
}

function localTimes() {
  const written = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const each of $$("time[data-at]")) {
    each.title = each.title || each.textContent;
    each.textContent = written.format(new Date(each.dateTime));
  }
}

// ---- live pages --------------------------------------------------------------

let waiting = 0;

function refreshSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 200);
}

async function refresh() {
  let answer;
  try {
    answer = await fetch(location.href, { headers: { "x-requested-with": "fetch" } });
  } catch {
    return;
  }
  if (answer.status === 401) return location.reload();
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const picked = new Set($$(".pick input:checked").map((each) => each.value));
  const focused = document.activeElement?.id;
  for (const old of $$("[data-live]")) replace(old, fresh.getElementById(old.id));
  for (const each of $$(".pick input")) each.checked = picked.has(each.value);
  if (focused && document.activeElement?.id !== focused) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
  document.title = fresh.title;
  settle();
}

function replace(old, fresh) {
  if (!fresh || old.isEqualNode(fresh)) return;
  // What somebody has unfolded stays so, and a form that somebody is filling in as it is.
  for (const each of $$("details[id]", old)) fresh.querySelector(`#${each.id}`)?.toggleAttribute("open", each.open);
  const typing = old.contains(document.activeElement) && document.activeElement.matches("select, textarea, input:not([type=checkbox])");
  if (!typing) old.replaceWith(document.adoptNode(fresh));
}

function settle() {
  tellTimes();
  localTimes();
  countPicked();
  ringIfNew();
}

function listen() {
  if (!liveFrom) return;
  const stream = new EventSource(liveFrom + (page ? `?case=${page.dataset.case}` : ""));
  const away = $("#away");
  stream.addEventListener("ready", () => {
    if (!away.hidden) refreshSoon();
    away.hidden = true;
  });
  stream.addEventListener("change", refreshSoon);
  stream.addEventListener("ended", () => location.reload());
  stream.onerror = () => {
    away.hidden = false;
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 5000), stream.close();
  };
  addEventListener("pagehide", () => stream.close());
}

// ---- the alarm ---------------------------------------------------------------

const bell = $("#sound");
let audio;

function alarmIsOn() {
  return localStorage.getItem("alarm") === "on";
}

function showAlarm() {
  if (!bell) return;
  bell.hidden = false;
  bell.setAttribute("aria-pressed", String(alarmIsOn()));
  $(".said", bell).textContent = alarmIsOn() ? "Alarm on" : "Alarm off";
}

async function switchAlarm() {
  localStorage.setItem("alarm", alarmIsOn() ? "off" : "on");
  showAlarm();
  if (!alarmIsOn()) return;
  beep();
  if ("Notification" in window && Notification.permission === "default") {
    await Notification.requestPermission();
  }
}

function beep() {
  audio ??= new AudioContext();
  audio.resume();
  [880, 660, 880].forEach((pitch, place) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + place * 0.25;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.3, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.22);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.24);
  });
}

function ringIfNew() {
  const said = $("#alarms")?.dataset.cases.trim();
  const cases = said ? said.split(/\s+/) : [];
  const before = sessionStorage.getItem("alarms");
  const known = new Set((before ?? "").split(" "));
  const fresh = cases.filter((each) => !known.has(each));
  if (fresh.length) sessionStorage.setItem("alarms", [...known, ...fresh].slice(-500).join(" "));
  if (before === null) sessionStorage.setItem("alarms", cases.join(" "));
  if (before === null || !fresh.length || !alarmIsOn()) return;
  beep();
  for (const each of fresh) notify(...each.split(":"));
}

function notify(number, country) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(`Emergency E-${number}`, { body: `Country: ${country}`, tag: number });
  shown.onclick = () => {
    window.focus();
    location.assign(`${root}/case/${number}`);
  };
}

// ---- doing things ------------------------------------------------------------

function say(told) {
  const box = $("#told");
  for (const each of told) {
    const toast = document.createElement("div");
    toast.className = `toast${each.refused ? " refused" : ""}`;
    const text = document.createElement("span");
    text.textContent = each.text;
    toast.append(text);
    if (each.undo) toast.append(undoForm(each.undo));
    box.append(toast);
  }
  fade();
}

function undoForm(number) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = `${root}/case/${number}/undo`;
  form.dataset.undo = "";
  const token = Object.assign(document.createElement("input"), { type: "hidden", name: "csrf", value: csrf });
  const button = Object.assign(document.createElement("button"), { textContent: "Undo (z)" });
  form.append(token, button);
  return form;
}

function fade() {
  for (const toast of $$(".toast:not([data-fading])")) {
    toast.dataset.fading = "";
    setTimeout(() => toast.remove(), 10000);
  }
}

async function act(path, fields = {}) {
  const body = new URLSearchParams({ csrf, ...fields });
  const answer = await fetch(root + path, { method: "POST", body, headers: { "x-requested-with": "fetch" } });
  if (!answer.headers.get("content-type")?.includes("json")) {
    return say([{ text: "That did not work; reload the page.", refused: true }]);
  }
  const said = await answer.json();
  if (answer.status === 401) return location.assign(said.to);
  say(said.told);
  await refresh();
}

function countPicked() {
  const bulk = $("#bulk");
  if (!bulk) return;
  const count = $$(".pick input:checked").length;
  bulk.classList.toggle("some", count > 0);
  $("#chosen").textContent = `${count} selected:`;
}

// ---- drafts survive a reload, and are gone once sent ---------------------------

function drafts() {
  for (const form of $$("form[data-draft]")) {
    const field = $("textarea", form);
    const key = `draft ${form.dataset.draft}`;
    field.value = field.value || (sessionStorage.getItem(key) ?? "");
    field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
    form.addEventListener("submit", () => sessionStorage.removeItem(key));
  }
  $("form[action$='/sign-out']")?.addEventListener("submit", () => sessionStorage.clear());
}

// ---- keys --------------------------------------------------------------------

const rows = () => $$(".case[data-number]");
const row = () => document.activeElement?.closest(".case[data-number]");
const here = () => encodeURI(`/?q=${new URLSearchParams(location.search).get("q") ?? ""}`);
const reach = (selector) => $(selector)?.focus();
const follow = (selector) => $(selector)?.click();

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(row());
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  $(".number a", all[next]).focus();
}

function caseAct(name) {
  const number = page?.dataset.case ?? row()?.dataset.number;
  if (number) act(`/case/${number}/${name}`);
}

function choose(place) {
  const choices = $$("#review input[name=level]");
  if (!choices[place]) return;
  choices[place].checked = true;
  reach($("#reply-was-right").value ? "#save-review" : "#reply-was-right");
}

function levelIsRight() {
  const own = $(`#review input[value="${page?.dataset.level}"]`);
  if (own) choose($$("#review input[name=level]").indexOf(own));
}

function undo() {
  const last = $$("form[data-undo]").at(-1);
  if (!last) return;
  const path = new URL(last.action).pathname.slice(root.length);
  last.closest(".toast").remove();
  act(path);
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  u: () => location.assign(page ? ($("#back")?.href ?? `${root}/`) : `${root}/`),
  n: () => location.assign(`${root}/next${page ? `?after=${page.dataset.case}` : ""}`),
  a: () => caseAct("acknowledge"),
  m: () => caseAct("mine"),
  c: () => (page ? reach("#note") : openRow("#note")),
  s: () => (page ? reach("#snooze-for") : openRow("#snooze-for")),
  e: () => (page ? reach("#resolution") : openRow("#resolution")),
  E: () => (page ? resolveAndNext() : openRow("#resolution")),
  "=": levelIsRight,
  x: () => { const box = $(".pick input", row() ?? document.createElement("i")); box?.click(); },
  "/": () => (reach("#q"), $("#q")?.select()),
  f: () => { const box = $("#filter"); if (box) { box.open = !box.open; if (box.open) $("select", box).focus(); } },
  z: undo,
  "?": () => $("#keys")?.showModal(),
};

function resolveAndNext() {
  const how = $("#resolution");
  if (how && !how.value) how.focus();
  else follow("#resolve-next");
}

function openRow(place) {
  const link = $(".number a", row() ?? document.createElement("i"));
  if (link) location.assign(`${link.href}${place}`);
}

let prefix = "";

function view(letter) {
  if (letter === "g") return location.assign(`${root}/figures`);
  const link = $(`.views a[data-key="${letter}"]`);
  if (link) return link.click();
  location.assign(letter === "q" ? `${root}/` : letter === "p" ? `${root}/misses` : `${root}/view/${letter}`);
}

addEventListener("keydown", (pressed) => {
  const { key, target } = pressed;
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || $("dialog[open]")) return;
  if (key === "Escape") return target.blur?.();
  if (key === "Enter" && target.id === "reply-was-right" && target.value) {
    return pressed.preventDefault(), reach("#save-review");
  }
  const isText = target.matches?.("textarea, select, input:not([type=checkbox]):not([type=radio])");
  if (isText || !liveFrom) return;
  if (prefix) {
    prefix = "";
    if (/^[a-z]$/.test(key)) return pressed.preventDefault(), view(key);
  }
  if (key === "g") return (prefix = key), setTimeout(() => (prefix = ""), 1500);
  if (key === "Enter" && page && (target === document.body || target.id === "main")) {
    return $("#uncover button")?.click();
  }
  if (/^[1-6]$/.test(key) && page) return pressed.preventDefault(), choose(Number(key) - 1);
  if (!KEYS[key]) return;
  pressed.preventDefault();
  KEYS[key]();
});

document.addEventListener("change", ({ target }) => {
  if (target.closest(".pick")) countPicked();
  if (target.dataset.fills) $(`#${target.dataset.fills}`).value = target.selectedOptions[0].dataset.text ?? "";
});
document.addEventListener("submit", (sent) => {
  const form = sent.target;
  if (!form.matches("form[data-act], form[data-undo]")) return;
  sent.preventDefault();
  form.closest(".toast")?.remove();
  act(new URL(form.action).pathname.slice(root.length));
});
bell?.addEventListener("click", switchAlarm);
if ($("#help")) {
  $("#help").hidden = false;
  $("#help").addEventListener("click", KEYS["?"]);
}
// On a phone the pages stand in a row that moves sideways: the one that is open is in sight.
const current = $(".top nav [aria-current]");
if (current) current.parentElement.scrollLeft = current.offsetLeft - current.parentElement.offsetLeft - 12;
if (location.hash && $(location.hash)?.matches("textarea, select")) $(location.hash).focus();
drafts();
showAlarm();
settle();
fade();
listen();
setInterval(tellTimes, 1000);
setInterval(() => liveFrom && !document.hidden && refresh(), 30000);
