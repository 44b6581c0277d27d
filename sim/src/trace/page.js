(() => {
  const steps = [...document.querySelectorAll(".step")];
  const calls = [...document.querySelectorAll("#calls li")];
  const title = document.getElementById("at");
  let at = -1;
  const state = (item, row) => {
    let text = "not sent yet";
    for (const part of item.dataset.states.split(";")) {
      const [from, name] = part.split("=");
      if (Number(from) <= row) text = name;
    }
    return text;
  };
  const show = (to) => {
    if (!steps.length) return;
    at = Math.max(0, Math.min(steps.length - 1, to));
    steps.forEach((step, row) => step.classList.toggle("here", row === at));
    title.textContent = steps[at].getAttribute("aria-label");
    for (const item of calls) item.querySelector("span").textContent = state(item, at);
    document.body.dataset.step = String(at + 1);
    steps[at].scrollIntoView({ block: "nearest" });
  };
  const keys = { ArrowDown: () => at + 1, ArrowRight: () => at + 1, ArrowUp: () => at - 1, ArrowLeft: () => at - 1,
    Home: () => 0, End: () => steps.length - 1 };
  addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    show(keys[event.key]());
  });
  steps.forEach((step, row) => step.addEventListener("click", () => show(row)));
  for (const call of document.querySelectorAll("svg .call")) {
    const mine = calls.find((item) => item.dataset.call === call.dataset.call);
    const name = call.querySelector("title");
    const choose = (is) => {
      mine?.classList.toggle("chosen", is);
      if (is && mine) name.textContent = mine.querySelector("b").textContent + ": " + state(mine, at);
    };
    for (const kind of ["mouseenter", "focus"]) call.addEventListener(kind, () => choose(true));
    for (const kind of ["mouseleave", "blur"]) call.addEventListener(kind, () => choose(false));
  }
  const wanted = () => Number((location.hash.match(/^#step=(\d+)$/) || [])[1] || steps.length) - 1;
  addEventListener("hashchange", () => show(wanted()));
  show(wanted());
})();
