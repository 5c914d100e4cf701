// Makes elements. Text is always set as text, so nothing that comes from a plugin or a message is ever taken for markup.

export type Child = Node | string | number | null | undefined | false | Child[];

type Props = { [name: string]: unknown };

/** An element with attributes, listeners (`onclick`) and children; strings become text nodes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on') && typeof value === 'function') {
      element.addEventListener(name.slice(2), value as EventListener);
    } else if (name === 'class') {
      element.className = String(value);
    } else if (name === 'value') {
      (element as HTMLInputElement).value = String(value);
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  append(element, children);
  return element;
}

function append(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child instanceof Node) parent.appendChild(child);
    else if (child !== null && child !== undefined && child !== false) {
      parent.appendChild(document.createTextNode(String(child)));
    }
  }
}

/** Puts children in place of what an element has. */
export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** What is said where there is nothing to show: a heading, why, and what to do. */
export function empty(title: string, ...text: Child[]): HTMLElement {
  return h('div', { class: 'empty' }, h('h2', null, title), h('p', null, ...text));
}

/** What is said when something failed. */
export function failure(error: unknown, retry?: () => void): HTMLElement {
  const text = error instanceof Error ? error.message : String(error);
  return h(
    'div',
    { class: 'empty error', role: 'alert' },
    h('h2', null, 'This could not be loaded'),
    h('p', null, text),
    retry && h('button', { onclick: retry }, 'Try again'),
  );
}

/** A field that filters what a page shows; `changed` gets what is typed. The key `/` leads to it. */
export function filterField(label: string, placeholder: string, value: string, changed: (text: string) => void): HTMLElement {
  return h('input', {
    type: 'search',
    placeholder,
    'aria-label': label,
    'data-key': '/',
    value,
    oninput: (event: Event) => changed((event.target as HTMLInputElement).value),
  });
}

/** A short notice at the edge of the window. */
export function toast(text: string, kind: 'ok' | 'bad' = 'ok'): void {
  const note = h('div', { class: `toast ${kind}` }, text);
  document.getElementById('toasts')?.append(note);
  setTimeout(() => note.remove(), 6000);
}

/** Asks before something is changed; resolves to whether it shall be. */
export function confirmed(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (yes: boolean) => () => {
      dialog.close();
      dialog.remove();
      resolve(yes);
    };
    const dialog = h(
      'dialog',
      { 'aria-label': title, oncancel: answer(false) },
      h('h2', null, title),
      h('p', null, text),
      h(
        'div',
        { class: 'row end' },
        h('button', { onclick: answer(false) }, 'Cancel'),
        h('button', { class: 'primary', onclick: answer(true) }, action),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Text with its addresses as links; those that alerts have for graphs lead there in this window. */
export function linked(text: string): Child[] {
  return text.split(/(https?:\/\/[^\s<>"']+)/).map((part, n) => {
    if (n % 2 === 0) return part;
    const own = /^https?:\/\/[^/]+(?:\/[^?#]*)?\/dashboard_output\/([\w./-]+)$/.exec(part);
    return own ? h('a', { href: `#/dashboard/${own[1]}` }, part) : h('a', { href: part, rel: 'noreferrer noopener', target: '_blank' }, part);
  });
}
