// Makes the professional's pages easier. Without it they work too: every form is sent as it is, every link is a link.
// It keeps nothing: no storage, no history, no address of its own.

const MESSAGE = 'hit-live';

/** The 11-test of a citizen service number, as the server does it; for a hint while typing alone. */
function passesElevenTest(digits) {
  if (digits === '000000000') return false;
  const sum = [9, 8, 7, 6, 5, 4, 3, 2, -1].reduce(
    (total, weight, i) => total + weight * Number(digits[i]),
    0,
  );
  return sum % 11 === 0;
}

/** A line beside a field or a form that is read out when it changes. */
function say(place, text) {
  let line = place.parentElement?.querySelector(`.${MESSAGE}`);
  if (!line) {
    line = document.createElement('p');
    line.className = `${MESSAGE} utrecht-form-field-description`;
    line.setAttribute('role', 'status');
    place.after(line);
  }
  line.textContent = text;
}

document.addEventListener('input', ({ target }) => {
  if (target.dataset?.check !== 'bsn') return;
  const { bsnRight, bsnWrong } = target.form.dataset;
  const digits = target.value.replace(/[.\s]/g, '');
  const judged = /^\d{9}$/.test(digits) ? (passesElevenTest(digits) ? bsnRight : bsnWrong) : '';
  say(target, judged ?? '');
});

/** Puts a page that came back in the place of this one: the address and the history stay as they are. */
function show(text) {
  const page = new DOMParser().parseFromString(text, 'text/html');
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  document.body.replaceWith(page.body);
  focusFirst();
}

/** The mistakes, where there are some, otherwise the heading. */
function focusFirst() {
  const place = document.querySelector('#mistakes') ?? document.querySelector('h1');
  if (place === null) return;
  place.setAttribute('tabindex', '-1');
  place.focus();
  // Where the browser takes the focus away with what had it before, after all: it is given again.
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) place.focus();
  });
}

const sending = new WeakSet();

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (sending.has(form)) {
    event.preventDefault();
    return;
  }
  if (form.dataset.once !== undefined) sending.add(form);
  if (form.dataset.enhance === undefined) return;
  event.preventDefault();
  sending.add(form);
  void send(form, event.submitter);
});

/** Sends the form and shows what comes back. When nothing does, what was typed stays where it is. */
async function send(form, submitter) {
  const data = new FormData(form, submitter);
  const place = form.lastElementChild ?? form;
  say(place, form.dataset.busy ?? '');
  try {
    const response = await fetch(submitter?.getAttribute('formaction') ?? form.getAttribute('action'), {
      method: 'POST',
      body: new URLSearchParams(data),
      credentials: 'same-origin',
    });
    if (response.redirected) location.assign(response.url);
    else show(await response.text());
  } catch {
    say(place, form.dataset.offline ?? '');
  } finally {
    sending.delete(form);
  }
}

/** A question that waits for a colleague: the page is loaded anew when something has become of it. */
async function poll() {
  const place = document.querySelector('[data-poll]');
  if (place === null) return;
  try {
    const response = await fetch(place.dataset.poll, { credentials: 'same-origin' });
    if (response.ok && (await response.text()) !== place.dataset.state) location.reload();
  } catch {
    // The agency's system is away for a moment; the next time it may be there.
  }
}
if (document.querySelector('[data-poll]') !== null) setInterval(() => void poll(), 3_000);
