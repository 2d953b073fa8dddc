// What is beside the world: its actions, the agent's mind, the numbers to turn, charts over the frame.

import { paint } from "./canvas.js";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/** One button an action: what it is called, what it does (a small film), and how likely an agent is to take it. */
export class ActionButtons {
  #films = null;
  #timer = null;

  constructor(welcome, container, keys, { press, release }) {
    this.welcome = welcome;
    this.buttons = Array.from({ length: welcome.actions }, (_, action) => {
      const bar = element("i", { className: "bar" });
      const canvas = element("canvas", { hidden: true });
      const name = welcome.actionNames[action] || `action ${action + 1}`;
      const button = element(
        "button", { type: "button", className: "action" }, canvas, element("kbd", { textContent: action + 1 }),
        element("span", { textContent: name }), bar);
      button.setAttribute("aria-label", `${name}, key ${action + 1}`);
      button.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        button.setPointerCapture(event.pointerId);
        press(action, event.timeStamp);
      });
      for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
        button.addEventListener(kind, () => release(action));
      }
      // By the keyboard a button is one step.
      button.addEventListener("click", (event) => {
        if (event.detail !== 0) return;
        press(action, event.timeStamp);
        release(action);
      });
      return { button, bar, canvas };
    });
    container.style.setProperty("--columns", Math.min(8, welcome.actions));
    container.replaceChildren(...this.buttons.map(({ button }) => button));
  }

  mark(action) {
    this.buttons.forEach(({ button }, index) => button.classList.toggle("taken", index === action));
  }

  chances(probabilities) {
    this.buttons.forEach(({ bar }, index) => {
      bar.style.setProperty("--share", probabilities.length ? probabilities[index] : 0);
      bar.title = probabilities.length ? `${(100 * probabilities[index]).toFixed(0)} %` : "";
    });
  }

  /** @param sheet [actions, frames] of what each action does */
  show(sheet) {
    this.#films = sheet;
    clearInterval(this.#timer);
    const { width, height } = this.welcome;
    const size = width * height * 3;
    let number = 0;
    const draw = () => {
      this.buttons.forEach(({ canvas }, action) => {
        const from = (action * sheet.columns + Math.min(number, sheet.columns - 1)) * size;
        paint(canvas, this.#films.pixels.subarray(from, from + size), width, height);
        canvas.hidden = false;
      });
      number = (number + 1) % (sheet.columns + 3);
    };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) number = sheet.columns - 1;
    else this.#timer = setInterval(draw, 160);
    draw();
  }
}

/** A slider for each of the world's numbers; gives a function that shows what else turned them. */
export function tuningSliders(welcome, container, turn) {
  container.replaceChildren(...welcome.tunings.map((tuning) => {
    const output = element("output", { textContent: tuning.standard });
    const input = element("input", {
      type: "range", min: tuning.lowest, max: tuning.highest, step: tuning.step, value: tuning.standard,
      name: tuning.name,
    });
    input.addEventListener("input", () => { output.textContent = input.value; });
    input.addEventListener("change", () => turn({ [tuning.name]: Number(input.value) }));
    return element(
      "label", { className: "slider", title: tuning.summary }, element("span", { textContent: tuning.name }), input,
      output);
  }));
  return (values) => {
    for (const input of container.querySelectorAll("input")) {
      input.value = values[input.name] ?? input.value;
      input.dispatchEvent(new Event("input"));
    }
  };
}

/** Fills a list of choices, the first of which is none. */
export function choices(select, none, names) {
  select.replaceChildren(
    element("option", { value: "", textContent: none }),
    ...names.map((name) => element("option", { value: name, textContent: name })));
}
