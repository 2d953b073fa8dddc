// The page: puts its parts together and says what each button and key does.

import { Clock, quantile } from "./clock.js";
import { Drawing } from "./drawing.js";
import { difference, Episode, newSeed } from "./episode.js";
import { Keys } from "./keys.js";
import { ActionButtons, choices, tuningSliders } from "./panels.js";
import { Gallery, readPicture, receiveFiles } from "./pictures.js";
import * as recording from "./recording.js";
import { Timeline } from "./timeline.js";
import { Wire } from "./wire.js";

const $ = (id) => document.getElementById(id);
/** Of the world that a dreamt level is found in. */
const scout = 3;

function tell(text) {
  $("notice").textContent = text ?? "";
  $("notice").hidden = !text;
}

/** What goes wrong is told and the page goes on. */
const attempt = (work) => async (...values) => {
  try {
    tell(null);
    return await work(...values);
  } catch (error) {
    tell(error.message);
    return undefined;
  }
};

class Page {
  panes = [];
  agentPlays = false;
  /** The log's file that is played again now. */
  replaying = null;

  constructor(wire, welcome) {
    Object.assign(this, { wire, welcome });
    document.title = welcome.name;
    $("name").textContent = welcome.name;
    this.keys = new Keys(welcome.actionNames, welcome.actions);
    this.clock = new Clock(() => this.wantsStep(), () => this.step());
    this.clock.framesPerSecond = Math.round(Math.max(1, Math.min(60, welcome.frameRate)));
    this.timeline = new Timeline($("timeline"), (frame) => this.look(frame));
    this.actions = new ActionButtons(welcome, $("actions"), this.keys, {
      press: (action, time) => this.press(action, time),
      release: (action) => this.keys.release(action),
    });
    this.gallery = new Gallery(wire, welcome, $("gallery"), $("more-levels"), (level) => this.start({ level }));
    this.gallery.onerror = (error) => tell(error.message);
    this.drawing = new Drawing(welcome, $("drawing"), (pixels) => this.start({ pixels }));
    this.addPane();
    this.connectButtons();
    this.connectKeys();
    wire.onclose = () => {
      this.stopAgent();
      tell("The server is gone. Start it again and reload this page.");
    };
    setInterval(() => this.tellFigures(), 500);
  }

  get focus() { return this.panes[this.panes.length > 1 && this.turn !== "0" ? 1 : 0]; }
  get turn() { return document.querySelector("#turn input:checked").value; }
  /** Those that the next step goes to. */
  get targets() { return this.panes.length > 1 && this.turn === "both" ? this.panes : [this.focus]; }

  addPane() {
    const element = $("pane").content.firstElementChild.cloneNode(true);
    const episode = new Episode(this.wire, this.welcome, this.panes.length, element);
    element.querySelector(".frame").setAttribute("aria-label", `World ${"AB"[this.panes.length]}`);
    episode.onchange = () => this.update(episode);
    element.addEventListener("click", () => {
      if (this.panes.length < 2) return;
      document.querySelector(`#turn input[value="${this.panes.indexOf(episode)}"]`).checked = true;
      this.updateAll();
    });
    this.panes.push(episode);
    $("panes").append(element);
    return episode;
  }

  // Starts

  start = attempt(async (origin) => {
    this.keys.releaseAll();
    this.replaying = null;
    await this.focus.start(origin);
    $("stage").focus({ preventScroll: true });
    // The clock stopped at the end of the episode before this one.
    this.clock.run();
  });

  newLevel() {
    const { levels } = this.welcome;
    return this.start({ level: Math.floor(Math.random() * (levels ?? 2 ** 31)) });
  }

  /** A level of the world's own; of a world that dreams none, where a scout got to that wandered through a level. */
  dreamtLevel = attempt(async () => {
    const { actions, dreamsLevels } = this.welcome;
    if (dreamsLevels) return this.start({ seed: newSeed() });
    const wanderer = { world: scout, seed: newSeed(), level: undefined };
    let frame = await this.wire.ask("start", wanderer);
    let action = 0;
    for (let step = 0; step < 60; step += 1) {
      // Now and then it changes its mind, as whoever explores does.
      if (step % 4 === 0) action = Math.floor(Math.random() * actions);
      const next = await this.wire.step(scout, action);
      if (next.terminated || next.truncated) break;
      frame = next;
    }
    await this.wire.ask("close", { world: scout });
    return this.start({ pixels: frame.pixels });
  });

  useFile = attempt(async (file) => {
    if (file.type === "application/json" || file.name.endsWith(".json")) return this.replay(file);
    const { width, height, promptLimit, name } = this.welcome;
    if (promptLimit === 0) throw new Error(`${name} starts from its levels only, not from a picture.`);
    return this.start({ pixels: await readPicture(file, width, height) });
  });

  /** The steps of a log take turns like any others: nothing else steps meanwhile, and what would ends it. */
  async replay(file) {
    this.stopAgent();
    this.keys.releaseAll();
    this.replaying = file;
    try {
      await recording.replay(await file.text(), this.focus, () => this.replaying === file);
    } finally {
      if (this.replaying === file) this.replaying = null;
      this.showTuning(this.focus.tuning);
      this.clock.run();
    }
  }

  // Steps

  press(meaning, time = performance.now()) {
    this.stopAgent();
    this.keys.press(meaning);
    if (this.keys.isPressed) this.clock.press(time);
  }

  wantsStep() {
    if (document.hidden || this.replaying) return false;
    if (this.targets.every((episode) => episode.hasEnded && episode.isAtEnd)) return false;
    return this.agentPlays || this.keys.isPressed || ($("flow").checked && this.keys.idle !== null);
  }

  async step() {
    try {
      const action = this.keys.take() ?? (this.agentPlays ? null : this.keys.idle);
      if (action === null && !this.agentPlays) return false;
      await Promise.all(this.targets.map((episode) => episode.step(action)));
      return true;
    } catch (error) {
      tell(error.message);
      this.stopAgent();
      $("flow").checked = false;
      return false;
    }
  }

  look(frame) {
    this.stopAgent();
    this.targets.forEach((episode) => episode.show(frame));
  }

  // Branches

  branch = attempt(async () => {
    const [first] = this.panes;
    const second = this.panes[1] ?? this.addPane();
    // From B, the branch becomes the new A: one can go on branching.
    if (this.focus === second && second.frames.length) await first.branch(second);
    else await second.branch(first);
    document.querySelector('#turn input[value="1"]').checked = true;
    this.showTurn();
    // The clock stopped at the end of the episode that was branched.
    this.clock.run();
  });

  unbranch = attempt(async () => {
    const [, second] = this.panes;
    if (!second) return;
    this.panes.length = 1;
    second.element.remove();
    this.showTurn();
    await second.close();
  });

  showTurn() {
    $("turn").hidden = $("unbranch").hidden = this.panes.length < 2;
    this.updateAll();
  }

  // The agent

  chooseAgent = attempt(async (name) => {
    if (!name) this.stopAgent();
    for (const episode of this.panes) await episode.change("player", name);
  });

  letAgentPlay = attempt(async () => {
    if (this.agentPlays) return this.stopAgent();
    const name = $("agent").value || this.welcome.players[0];
    if (!name) throw new Error("No agent: start `genie play` with --policy FILE.");
    $("agent").value = name;
    for (const episode of this.targets) if (episode.player !== name) await episode.change("player", name);
    this.agentPlays = true;
    $("agent-plays").setAttribute("aria-pressed", "true");
    return void this.clock.run();
  });

  /** Stops whoever plays in the person's stead: the agent, or a log. */
  stopAgent() {
    this.agentPlays = false;
    this.replaying = null;
    $("agent-plays").setAttribute("aria-pressed", "false");
  }

  // What is shown

  updateAll() { this.panes.forEach((episode) => episode.frame && this.update(episode)); }

  update(episode) {
    const index = this.panes.indexOf(episode);
    episode.element.classList.toggle("active", this.panes.length > 1 && this.targets.includes(episode));
    this.describe(episode, index);
    if (episode !== this.focus) return;
    const { frame } = episode;
    this.timeline.update(episode);
    this.actions.mark(frame.action);
    this.actions.chances(frame.probabilities);
    $("agent-mind").textContent = Number.isFinite(frame.value)
      ? `It expects to earn ${frame.value.toFixed(2)} from here. Any key takes over.` : "Any key takes over.";
    const known = [["log-likelihood", frame.logLikelihood], ["entropy", frame.entropy]];
    $("doubt").replaceChildren(...known.filter(([, value]) => Number.isFinite(value)).flatMap(([name, value]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      text.textContent = `${value.toFixed(3)} nats a token`;
      return [term, text];
    }));
  }

  describe(episode, index) {
    const { frame, caption } = episode;
    const part = (text, name) => Object.assign(document.createElement(name ? "b" : "span"), {
      textContent: text, className: name ?? "",
    });
    const parts = this.panes.length > 1 ? [part(`${"AB"[index]} `, "letter")] : [];
    parts.push(part(`earned ${Number(episode.total.toFixed(2))}`));
    const reward = Number(frame.reward.toFixed(2));
    if (reward !== 0) parts.push(part(`  ${reward > 0 ? "+" : ""}${reward}`, "earned"));
    if (frame.terminated) parts.push(part("  The episode has ended. ⌫ starts it again.", "end"));
    else if (frame.truncated) parts.push(part("  The episode was cut. ⌫ starts it again.", "end"));
    const other = this.panes[1 - index];
    if (index === 1 && other?.frame) {
      parts.push(part(`  ${difference(frame.pixels, other.frame.pixels)} pixels differ from A`));
    }
    caption.replaceChildren(...parts);
  }

  tellFigures() {
    const { rate, latencies } = this.clock;
    const parts = [`${rate.toFixed(0)} frames/s`];
    if (latencies.length) {
      const [half, most] = [0.5, 0.95].map((share) => quantile(latencies, share).toFixed(0));
      parts.push(`key to frame ${half} ms (95%: ${most} ms)`);
    }
    $("figures").textContent = parts.join(" · ");
  }

  // Buttons and keys

  connectButtons() {
    const { welcome } = this;
    const on = (id, action) => $(id).addEventListener("click", (event) => {
      // Who came by pointer wants the keys for the game.
      if (event.detail > 0) $("stage").focus({ preventScroll: true });
      action();
    });
    on("again", () => this.again());
    on("new-level", () => this.newLevel());
    on("dreamt-level", () => this.dreamtLevel());
    on("branch", () => this.branch());
    on("unbranch", () => this.unbranch());
    on("draw", () => this.drawing.open(this.focus.frame.pixels, this.gallery.levels.map(([, pixels]) => pixels)));
    on("agent-plays", () => this.letAgentPlay());
    on("show-actions", attempt(async () => this.actions.show(
      await this.wire.ask("actions", { world: this.focus.world, frame: this.focus.shown }))));
    on("save-gif", attempt(() => recording.saveGIF(this.panes, this.clock.framesPerSecond)));
    on("save-film", attempt(() => recording.saveFilm(this.panes, this.clock.framesPerSecond, (share) => {
      $("save-film").textContent = share < 1 ? `${Math.round(100 * share)} %` : "Film";
    }).finally(() => { $("save-film").textContent = "Film"; })));
    on("save-sheet", attempt(() => recording.saveSheet(this.panes)));
    on("save-log", attempt(() => recording.saveLog(this.focus)));
    receiveFiles($("file"), this.useFile);
    $("draw").hidden = $("drop-hint").hidden = welcome.promptLimit === 0;
    if (welcome.promptLimit === 0) $("choose").firstElementChild.textContent = "A log";
    $("dreamt-level").hidden = welcome.promptLimit === 0 && !welcome.dreamsLevels;
    $("agent-panel").hidden = welcome.players.length === 0;
    choices($("agent"), "none", welcome.players);
    $("agent").addEventListener("change", () => this.chooseAgent($("agent").value));
    $("model-panel").hidden = welcome.tunings.length === 0 && welcome.charts.length === 0;
    this.showTuning = tuningSliders(
      welcome, $("tunings"), attempt((values) => Promise.all(this.panes.map((one) => one.tune(values)))));
    $("chart-choice").hidden = welcome.charts.length === 0;
    choices($("chart"), "nothing", welcome.charts);
    $("chart").addEventListener("change", attempt(async () => {
      for (const episode of this.panes) await episode.change("chart", $("chart").value);
    }));
    const rate = $("rate");
    const showRate = () => { rate.nextElementSibling.textContent = rate.value; };
    rate.value = String(this.clock.framesPerSecond);
    rate.addEventListener("input", () => {
      this.clock.framesPerSecond = Number(rate.value);
      showRate();
    });
    showRate();
    $("flow").disabled = this.keys.idle === null;
    $("flow").addEventListener("change", () => this.clock.run());
    for (const input of document.querySelectorAll("#turn input")) {
      input.addEventListener("change", () => this.updateAll());
    }
    if (!this.keys.hasDirections) {
      $("arrow-keys").nextElementSibling.remove();
      $("arrow-keys").remove();
    }
  }

  again() { return this.start({ ...this.focus.origin }); }

  connectKeys() {
    const commands = {
      Backspace: () => this.again(), KeyN: () => this.newLevel(),
      KeyM: () => $("dreamt-level").hidden || this.dreamtLevel(), KeyB: () => this.branch(),
      KeyP: () => this.letAgentPlay(), Comma: () => this.look(this.focus.shown - 1),
      Period: () => this.look(this.focus.shown + 1),
      KeyT: () => {
        $("flow").checked = !$("flow").checked && !$("flow").disabled;
        this.clock.run();
      },
    };
    /** Whether a key belongs to what has the focus, and not to the game. */
    const isTaken = (event) => {
      const { target } = event;
      if ($("drawing").open) return true;
      if (target.closest?.("select, textarea, input:not([type=checkbox], [type=radio])")) return true;
      const isPressing = event.code === "Space" || event.code === "Enter";
      return isPressing && target.closest?.("button, summary, input") !== null && target !== document.body;
    };
    addEventListener("keydown", (event) => {
      if (isTaken(event)) return;
      const meaning = this.keys.meaning(event);
      const command = event.ctrlKey || event.metaKey || event.altKey ? undefined : commands[event.code];
      if (meaning === null && !command) return;
      event.preventDefault();
      if (meaning !== null) {
        if (!event.repeat) this.press(meaning, event.timeStamp);
      } else if (!event.repeat || event.code === "Comma" || event.code === "Period") command();
    });
    addEventListener("keyup", (event) => {
      // What was pressed alone may be let go while Ctrl is held.
      const meaning = this.keys.meaning({ code: event.code });
      if (meaning !== null) this.keys.release(meaning);
    });
    addEventListener("blur", () => this.keys.releaseAll());
    document.addEventListener("visibilitychange", () => this.clock.run());
    addEventListener("resize", () => this.updateAll());
  }
}

attempt(async () => {
  const [wire, welcome] = await Wire.connect();
  const page = new Page(wire, welcome);
  // For whoever opens the console, and for tests.
  globalThis.genie = page;
  await page.start({ level: welcome.levels === 0 ? undefined : 0, seed: 0 });
  page.gallery.load().catch((error) => tell(error.message));
})();
