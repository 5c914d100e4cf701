// Colours Lua: comments, strings, numbers and words of the language. Text stays text.

import { h } from './dom';

const TOKEN =
  /(--\[(=*)\[[\s\S]*?\]\2\]|--[^\n]*)|("(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|\[(=*)\[[\s\S]*?\]\4\])|\b(and|break|do|else|elseif|end|false|for|function|if|in|local|nil|not|or|repeat|return|then|true|until|while)\b|\b(0x[\da-fA-F]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)\b/g;

/** Longer texts are shown without colours. */
const TEXT_MAX = 200_000;

/** The text as nodes. */
export function highlighted(text: string): (Node | string)[] {
  if (text.length > TEXT_MAX) return [text];
  const out: (Node | string)[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) out.push(text.slice(at, match.index));
    const kind = match[1] ? 'comment' : match[3] ? 'string' : match[5] ? 'word' : 'number';
    out.push(h('span', { class: `l-${kind}` }, match[0]));
    at = match.index + match[0].length;
  }
  out.push(text.slice(at));
  return out;
}
