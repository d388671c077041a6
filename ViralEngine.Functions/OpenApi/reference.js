'use strict';
// Draws the OpenAPI document of this instance. All text goes in as text, never as HTML.

const methods = ['get', 'post', 'put', 'patch', 'delete'];
let api;

// el('p.note', {title: '…'}, 'text', child…)
function el(what, ...rest) {
  const [tag, ...classes] = what.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  for (const item of rest.flat(4)) {
    if (item === null || item === undefined || item === false || item === '') continue;
    if (typeof item === 'object' && !(item instanceof Node)) {
      for (const [name, value] of Object.entries(item)) node.setAttribute(name, value);
    } else node.append(item);
  }
  return node;
}

function resolve(thing) {
  while (thing && thing.$ref) thing = thing.$ref.slice(2).split('/').reduce((at, part) => at[part], api);
  return thing ?? {};
}

const nameOf = schema => schema?.$ref?.split('/').pop();

// ---- text: paragraphs, headings, lists, `code`
function inline(text) {
  return text.split(/(`[^`]+`)/).map(part => part.length > 1 && part.startsWith('`') ? el('code', part.slice(1, -1)) : part);
}

function prose(text) {
  const box = el('div.prose');
  const blocks = (text ?? '').replace(/^(## .*)$/gm, '\n$1\n').split(/\n\s*\n/).map(block => block.trim()).filter(Boolean);
  for (const block of blocks) {
    if (block.startsWith('## ')) box.append(el('h5', block.slice(3)));
    else if (block.startsWith('- ')) box.append(el('ul', block.split(/\n(?=- )/).map(item => el('li', inline(item.slice(2))))));
    else box.append(el('p', inline(block)));
  }
  return box;
}

// ---- schemas
function typeText(schema) {
  if (!schema || Object.keys(schema).length === 0) return 'any';
  const name = nameOf(schema);
  if (name) return name;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeText).join(' or ');
  if (schema.type === undefined) return 'any';
  return [schema.type].flat().map(type => {
    if (type === 'array') return `array of ${typeText(schema.items)}`;
    if (type === 'object' && typeof schema.additionalProperties === 'object') return `map of ${typeText(schema.additionalProperties)}`;
    return type === 'string' && schema.format ? schema.format : type;
  }).join(' or ');
}

function between(least, most, unit = '') {
  if (least === undefined && most === undefined) return null;
  if (most === undefined) return `${least} or more${unit}`;
  return least === undefined ? `at most ${most}${unit}` : `${least} to ${most}${unit}`;
}

function rules(schema) {
  const items = schema.items && !schema.items.$ref ? schema.items : {};
  return [
    between(schema.minimum, schema.maximum),
    between(schema.minLength, schema.maxLength, ' characters'),
    between(schema.minItems, schema.maxItems, ' items'),
    between(items.minLength, items.maxLength, ' characters each'),
    schema.pattern && `like ${schema.pattern}`,
    (schema.enum ?? items.enum)?.filter(word => word !== null).join(' | '),
    schema.default !== undefined && schema.default !== null && `${JSON.stringify(schema.default)} unless given`,
  ].filter(Boolean).join(' · ');
}

// The record inside a schema: the thing itself, one of its items, or it or null.
function inner(schema) {
  return [schema, schema?.items, ...(schema?.anyOf ?? []), ...(schema?.oneOf ?? []), schema?.additionalProperties]
    .find(candidate => candidate && typeof candidate === 'object' && (resolve(candidate).properties || resolve(candidate).discriminator)) ?? null;
}

function fieldRow(name, schema, required, seen, description) {
  const about = description ?? schema.description;
  const row = el('div.field', el('span.name', name), el('span.type', typeText(schema)), required && el('span.must', 'required'),
    about && el('div.about', [...prose(about).childNodes]), rules(schema) && el('div.rule', rules(schema)));
  const nested = inner(schema);
  if (nested && (!seen.includes(nameOf(nested)) || resolve(nested).discriminator)) {
    const more = el('details', el('summary.media', nameOf(nested) ?? 'fields'));
    more.addEventListener('toggle', () => {
      if (more.children.length === 1) more.append(el('div.nested', fieldList(nested, [...seen, nameOf(nested)])));
    });
    row.append(more);
  }
  return row;
}

// Which fields must be there says something of requests; answers have them all.
function fieldList(schema, seen = [], isRequest = false) {
  const kinds = resolve(schema).discriminator?.mapping;
  if (kinds && seen.length < 12) {
    return Object.entries(kinds).map(([kind, target]) => {
      const more = el('details', el('summary.media', `${resolve(schema).discriminator.propertyName}: ${kind}`));
      more.addEventListener('toggle', () => {
        if (more.children.length === 1) more.append(el('div.nested', fieldList({ $ref: target }, [...seen, nameOf({ $ref: target })], isRequest)));
      });
      return more;
    });
  }
  const record = resolve(inner(resolve(schema)) ?? schema);
  if (!record.properties) return el('div.media', typeText(schema), rules(record) && ` — ${rules(record)}`);
  return el('div.fields', Object.entries(record.properties).map(([name, field]) =>
    fieldRow(name, field, isRequest && record.required?.includes(name), seen.length ? seen : [nameOf(schema)])));
}

function sample(schema, depth = 0) {
  const target = resolve(schema);
  if (target.example !== undefined) return target.example;
  if (target.examples) return target.examples[0];
  if (target.default !== undefined && target.default !== null) return target.default;
  if (target.enum) return target.enum[0];
  if (target.oneOf ?? target.anyOf) return depth > 8 ? {} : sample((target.oneOf ?? target.anyOf)[0], depth + 1);
  const type = [target.type].flat()[0];
  if (type === 'object') {
    if (depth > 4) return {};
    return Object.fromEntries(Object.entries(target.properties ?? {}).map(([name, field]) => [name, sample(field, depth + 1)]));
  }
  if (type === 'array') return depth > 4 ? [] : [sample(target.items, depth + 1)];
  if (type === 'integer' || type === 'number') return target.minimum ?? 0;
  if (type === 'boolean') return false;
  if (type !== 'string') return {};
  return { uuid: '019ad3a5-9f0e-7c44-9d8c-1f6f7f6b8f10', 'date-time': '2030-01-31T12:00:00Z', email: 'ada@example.com' }[target.format] ?? 'text';
}

// ---- samples
function colored(text) {
  const code = el('code');
  for (const part of text.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?|\b(?:true|false|null)\b|-?\b\d+(?:\.\d+)?\b)/)) {
    const kind = part.startsWith('"') ? (part.endsWith(':') ? 'token-key' : 'token-string') : /^(true|false|null|-?\d)/.test(part) && 'token-value';
    code.append(kind ? el(`span.${kind}`, part) : part);
  }
  return code;
}

function block(text, isJson) {
  const copy = el('button.copy', { type: 'button' }, 'Copy');
  const shown = el('pre', { tabindex: 0 }, isJson ? colored(text) : el('code', text));
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'Copied';
    } catch {
      // Without a secure context there is no clipboard: the text is selected instead, for the keyboard.
      getSelection().selectAllChildren(shown);
      copy.textContent = 'Selected';
    }
    setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
  });
  return el('div.sample', copy, shown);
}

const quote = text => `'${text.replaceAll("'", `'\\''`)}'`;

// White space between tokens means nothing to JSON; other bodies go as they are.
const indented = body => /[/+]json$/.test(body.type) ? body.text.replaceAll('\n', '\n  ') : body.text;

function curl(operation) {
  const isStream = 'text/event-stream' in (operation.responses['200']?.content ?? {});
  const lines = [`curl ${isStream ? '-N ' : ''}${operation.method === 'get' ? '' : `-X ${operation.method.toUpperCase()} `}"$VIRAL_URL/api${operation.path}"`];
  if (!operation.isPublic) lines.push('-H "Authorization: Bearer $VIRAL_API_KEY"');
  if (operation.method === 'post' && operation.parameters.some(parameter => parameter.name === 'Idempotency-Key'))
    lines.push('-H "Idempotency-Key: $(uuidgen)"');
  if (operation.body) lines.push(`-H 'Content-Type: ${operation.body.type}'`, `--data-binary ${quote(indented(operation.body))}`);
  return lines.join(' \\\n  ');
}

// ---- operations
const exampleOf = media => media.example ?? Object.values(media.examples ?? {})[0]?.value ?? sample(media.schema);

function bodyOf(operation) {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (!media) return null;
  const example = exampleOf(media);
  return { type, schema: media.schema, text: typeof example === 'string' ? example : JSON.stringify(example, null, 2) };
}

function read() {
  return Object.entries(api.paths).flatMap(([path, item]) => methods.filter(method => item[method]).map(method => {
    const operation = item[method];
    return {
      ...operation, path, method,
      isPublic: operation.security?.length === 0,
      parameters: (operation.parameters ?? []).map(resolve),
      body: bodyOf(operation),
      text: `${method} /api${path} ${operation.summary} ${operation.operationId} ${operation.tags}`.toLowerCase(),
    };
  }));
}

function answers(operation) {
  return Object.entries(operation.responses).map(([status, reference]) => {
    const response = resolve(reference);
    const headers = Object.keys(response.headers ?? {});
    return el(`details.answer.status${status[0]}`, el('summary', el('b', status), ' ', inline(response.description)),
      el('div.inside',
        headers.length > 0 && el('div.media', 'Headers: ', headers.join(', ')),
        Object.entries(response.content ?? {}).map(([type, media]) => [
          el('div.media', type, nameOf(media.schema) && ` — ${nameOf(media.schema)}`),
          fieldList(media['x-event-data'] ?? media['x-line'] ?? media.schema),
        ])));
  });
}

function parameterList(operation) {
  return ['path', 'query', 'header'].map(place => {
    const some = operation.parameters.filter(parameter => parameter.in === place);
    return some.length > 0 && [
      el('h4', `${place} parameters`),
      el('div.fields', some.map(parameter => fieldRow(parameter.name, parameter.schema, parameter.required, [], parameter.description))),
    ];
  });
}

function tryIt(operation) {
  const inputs = operation.parameters.filter(parameter => parameter.in !== 'header')
    .map(parameter => [parameter, el('input', { placeholder: typeText(parameter.schema), autocomplete: 'off' })]);
  const body = operation.body && el('textarea', { spellcheck: 'false' });
  if (body) body.value = operation.body.text;
  const result = el('div');
  const send = el('button', { type: 'button' }, 'Send');
  send.addEventListener('click', async () => {
    let path = operation.path;
    const query = new URLSearchParams();
    for (const [parameter, input] of inputs) {
      if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value || '-'));
      else if (input.value) query.set(parameter.name, input.value);
    }
    const key = document.getElementById('key').value.trim();
    const headers = { ...(key && { Authorization: `Bearer ${key}` }), ...(body?.value && { 'Content-Type': operation.body.type }) };
    send.disabled = true;
    result.replaceChildren(el('div.media', 'Sending…'));
    try {
      await show(result, `/api${path}${query.size ? `?${query}` : ''}`, {
        method: operation.method.toUpperCase(), headers, body: body?.value || undefined, credentials: 'omit', cache: 'no-store',
      });
    } catch (fault) {
      result.replaceChildren(el('div.media', `No response: ${fault.message}`));
    }
    send.disabled = false;
  });
  return el('details.try', el('summary', 'Try it'),
    inputs.map(([parameter, input]) => el('label', `${parameter.name} (${parameter.in})`, input)),
    body && el('label', 'body', body), send, result);
}

// Shows an answer as it comes, so that streams can be watched.
async function show(result, url, request) {
  const started = performance.now();
  const response = await fetch(url, request);
  const status = el('div.media', `${response.status} in ${Math.round(performance.now() - started)} ms · ${response.headers.get('X-Request-ID') ?? ''}`);
  const code = el('code');
  result.replaceChildren(status, el('pre', code));
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader.read())
    code.textContent = text = (text + piece.value).slice(0, 1000000);
  if (text && /json/.test(response.headers.get('Content-Type') ?? ''))
    result.replaceChildren(status, block(JSON.stringify(JSON.parse(text), null, 2), true));
}

function article(operation) {
  const [status, reference] = Object.entries(operation.responses)[0];
  const [type, media] = Object.entries(resolve(reference).content ?? {})[0] ?? [];
  const example = media && /json$/.test(type) && exampleOf(media);
  const who = operation.isPublic ? ['public'] : operation['x-roles'] ?? [];
  return el('article', { id: operation.operationId },
    el('div.head',
      el('h3', operation.summary),
      el('div.line', el(`span.verb.${operation.method}`, operation.method.toUpperCase()), el('span.path', `/api${operation.path}`),
        el('span.roles', who.map(role => el('span.role', role))))),
    el('div.body',
      el('div',
        prose(operation.description.replace(/\n*(Roles: .*|Public)\.$/, '')),
        parameterList(operation),
        operation.body && [
          el('h4', 'body'),
          el('div.media', Object.keys(operation.requestBody.content).join(', '), nameOf(operation.body.schema) && ` — ${nameOf(operation.body.schema)}`),
          fieldList(operation.body.schema, [], true)],
        el('h4', 'answers'), answers(operation)),
      el('div',
        el('div.caption', 'Request'), block(curl(operation), false),
        example && [el('div.caption', `Response ${status}`), block(JSON.stringify(example, null, 2), true)],
        tryIt(operation))));
}

function schemaArticle([name, schema]) {
  return el('article', { id: `schema-${name}` },
    el('div.head', el('h3', name), schema.description && el('div', inline(schema.description))),
    el('div.body',
      el('div', fieldList({ $ref: `#/components/schemas/${name}` }, [], schema.additionalProperties === false)),
      el('div', el('div.caption', 'Example'), block(JSON.stringify(sample(schema), null, 2), true))));
}

const words = id => { const text = id.replace(/([A-Z])/g, ' $1').toLowerCase(); return text[0].toUpperCase() + text.slice(1); };

function draw() {
  const operations = read();
  const of = tag => operations.filter(operation => operation.tags.includes(tag.name));
  const schemas = Object.entries(api.components.schemas);
  const [main, nav] = [document.getElementById('main'), document.getElementById('contents')];
  document.getElementById('version').textContent = api.info.version;
  document.title = `${api.info.title} API`;

  nav.replaceChildren(
    ...api.tags.flatMap(tag => [
      el('h2', el('a', { href: `#tag-${tag.name}` }, tag.name)),
      ...of(tag).map(operation => el('a.item',
        { href: `#${operation.operationId}`, 'data-text': operation.text, title: `${operation.method.toUpperCase()} /api${operation.path}` },
        el(`span.verb.${operation.method}`, operation.method === 'delete' ? 'DEL' : operation.method.toUpperCase()), el('span', words(operation.operationId)))),
    ]),
    el('h2', el('a', { href: '#schemas' }, 'Schemas')),
    ...schemas.map(([name]) => el('a.item', { href: `#schema-${name}`, 'data-text': name.toLowerCase() }, name)));

  main.replaceChildren(
    el('h1', `${api.info.title} API`), el('p', api.info.summary), prose(api.info.description),
    ...api.tags.map(tag => el('section.tag', { id: `tag-${tag.name}` }, el('h2', tag.name), prose(tag.description), of(tag).map(article))),
    el('section.tag', { id: 'schemas' }, el('h2', 'Schemas'), schemas.map(schemaArticle)));

  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  follow(nav, main);
}

// Marks in the contents what is on the screen.
function follow(nav, main) {
  const items = new Map([...nav.querySelectorAll('a.item')].map(item => [item.getAttribute('href').slice(1), item]));
  const observer = new IntersectionObserver(entries => {
    for (const entry of entries.filter(entry => entry.isIntersecting)) {
      nav.querySelector('.here')?.classList.remove('here');
      items.get(entry.target.id)?.classList.add('here');
    }
  }, { rootMargin: '-15% 0px -75% 0px' });
  main.querySelectorAll('article').forEach(part => observer.observe(part));
}

function search(text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const target = link => document.getElementById(decodeURIComponent(link.getAttribute('href').slice(1)));
  for (const item of document.querySelectorAll('nav a.item'))
    item.hidden = target(item).hidden = !wanted.every(word => item.dataset.text.includes(word));
  for (const heading of document.querySelectorAll('nav h2')) {
    let next = heading.nextElementSibling;
    while (next?.tagName === 'A' && next.hidden) next = next.nextElementSibling;
    heading.hidden = target(heading.firstChild).hidden = next?.tagName !== 'A';
  }
}

const theme = name => { document.documentElement.dataset.theme = name; };

theme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
document.getElementById('theme').addEventListener('click', () => theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
document.getElementById('search').addEventListener('input', event => search(event.target.value));
document.getElementById('menu').addEventListener('click', () => document.getElementById('contents').classList.toggle('open'));
document.getElementById('contents').addEventListener('click', event => event.target.closest('a') && document.getElementById('contents').classList.remove('open'));
document.addEventListener('keydown', event => {
  if (event.key !== '/' || /INPUT|TEXTAREA/.test(document.activeElement.tagName)) return;
  event.preventDefault();
  document.getElementById('search').focus();
});

fetch('/api/openapi.json').then(response => response.json()).then(document => { api = document; draw(); })
  .catch(fault => document.getElementById('main').replaceChildren(el('p', `The document cannot be read: ${fault.message}`)));
