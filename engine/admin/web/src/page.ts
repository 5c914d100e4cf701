// What a page is, and the address behind the `#` that says which one is shown and how.

/** One page while it is shown. */
export interface Page {
  /** What is put into the window. */
  element: HTMLElement;
  /** Called when another page is shown. */
  leave?: () => void;
}

/** The part of the address behind `#`: a path, and what the page wants to remember, so that a link leads to the same view. */
export interface Place {
  path: string[];
  query: URLSearchParams;
}

/** The place that the address names. */
export function place(): Place {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?', 2);
  return {
    path: path.split('/').filter(Boolean).map(decodeURIComponent),
    query: new URLSearchParams(query ?? ''),
  };
}

/** The address of a place. */
export function link(path: string[], query: { [name: string]: string | undefined } = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) search.set(name, value);
  const text = search.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

/** Changes what the address remembers without showing the page anew. */
export function remember(query: { [name: string]: string | undefined }): void {
  const here = place();
  const merged: { [name: string]: string | undefined } = Object.fromEntries(here.query);
  Object.assign(merged, query);
  history.replaceState(null, '', link(here.path, merged));
}
