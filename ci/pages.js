// Behind the script of a failure's page: what a reader sees of it. Says `fine` and the lowest contrast of a text, or what is
// wrong, in an attribute of the body.
(() => {
  const wrong = [];
  const must = (is, words) => { if (!is) wrong.push(words); };
  const numbers = (colour) => (colour.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const style = (element) => getComputedStyle(element);
  const is_red = (colour) => { const [r, g, b] = numbers(colour); return r > 2 * Math.max(g, b); };

  // The failing step is red, and no other one.
  const steps = [...document.querySelectorAll(".step")];
  const fill = (step) => style(step.querySelector("circle, path")).fill;
  const red = steps.filter((step) => is_red(fill(step)));
  must(red.length === 1 && red[0].matches(".failing"), `${red.length} of ${steps.length} steps are red`);
  must(red[0] === steps.at(-1), "the last step is not the red one");
  must([...document.querySelectorAll(".stuck line")].every((line) => is_red(style(line).stroke)), "who waits in vain is not red");

  // The mouse on a call shows its state at the chosen step.
  const press = (key) => dispatchEvent(new KeyboardEvent("keydown", { key }));
  const call = document.querySelector("svg .call");
  const hovered = () => {
    call.dispatchEvent(new MouseEvent("mouseenter"));
    const said = call.querySelector("title").textContent;
    const chosen = document.querySelectorAll("#calls li.chosen").length;
    call.dispatchEvent(new MouseEvent("mouseleave"));
    return [said, chosen, document.querySelectorAll("#calls li.chosen").length].join("|");
  };
  const hover = (key, state) => {
    press(key);
    const got = call ? hovered() : "no call";
    must(new RegExp(`^call \\d+ .+: ${state}\\|1\\|0$`).test(got), `after ${key} the mouse on the call shows '${got}'`);
  };
  hover("Home", "not sent yet");
  hover("End", "being served");

  // Every text is readable: WCAG 2.2, level AA.
  const linear = (part) => (part <= 10.31475 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const is_clear = (colour) => colour === "none" || numbers(colour)[3] === 0;
  const behind = (element) => {
    if (element.matches("svg text")) {
      const [halo, box] = [style(element).stroke, element.parentElement.querySelector("rect")];
      if (!is_clear(halo)) return halo;
      if (box && !is_clear(style(box).fill)) return style(box).fill;
    }
    for (let at = element; at; at = at.parentElement) {
      if (!is_clear(style(at).backgroundColor)) return style(at).backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const has_text = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const texts = [...document.body.querySelectorAll("*")].filter((it) => has_text(it) && it.getClientRects().length > 0
    && !it.matches("script, title"));
  let lowest = 21;
  for (const scene of [() => press("Home"), () => call?.dispatchEvent(new MouseEvent("mouseenter"))]) {
    scene();
    for (const text of texts) {
      const own = text.matches("svg text") ? style(text).fill : style(text).color;
      const found = ratio(own, behind(text));
      lowest = Math.min(lowest, found);
      must(found >= 4.5, `'${text.textContent.slice(0, 30)}' has a contrast of ${found.toFixed(2)}`);
    }
  }
  must(texts.length > steps.length, `there are ${texts.length} texts`);
  const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.body.dataset.seen = wrong.length ? wrong.join("; ") : `fine in ${scheme}, lowest contrast ${lowest.toFixed(2)}`;
})();
