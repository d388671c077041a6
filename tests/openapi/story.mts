// A story of the API through types that were generated from its document: what compiles here can be called, and what is read is there.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './generated/schema.js';

type Schemas = components['schemas'];

const [url, ownerKey, approverKey] = process.argv.slice(2);
const clientOf = (key: string | undefined) => createClient<paths>({ baseUrl: `${url}/api`, headers: { Authorization: `Bearer ${key}` } });
const api = clientOf(ownerKey);
const approver = clientOf(approverKey);

function taken<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  assert.ok(answer.response.ok, `${answer.response.url} answered ${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data as T;
}

async function until<T>(read: () => Promise<T>, holds: (read: T) => boolean): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const it = await read();
    if (holds(it)) return it;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error('It did not come about in a minute.');
}

// 1. An agent: which settings there are follows from its kind.
const agent = taken(await api.POST('/agents', { body: { name: 'slow', kind: 'echo', settings: { delay_ms_per_chunk: 5, repeat: 2 } } }));
assert.ok(agent.kind === 'echo');
assert.equal(agent.settings.repeat, 2);

// 2. It is changed by a merge patch.
const changed = taken(await api.PATCH('/agents/{id}', {
  params: { path: { id: agent.id } }, body: { settings: { repeat: null } }, headers: { 'Content-Type': 'application/merge-patch+json' },
}));
assert.ok(changed.kind === 'echo' && changed.settings.repeat === 1);

// 3. A task, with an object of the caller's own.
const asked: Schemas['CreateTaskRequest'] = { agent_id: agent.id, description: 'one two three', metadata: { order: { number: 7481 } }, scheduled_at: null };
const task = taken(await api.POST('/tasks', { body: asked, params: { header: { 'Idempotency-Key': crypto.randomUUID() } } }));

// 4. It is done, and what was read can be sent again.
const path = { id: task.id };
const done = await until(async () => taken(await api.GET('/tasks/{id}', { params: { path } })), read => read.status === 'completed');
assert.deepEqual(done.metadata, { order: { number: 7481 } });
const { agent_id, description, input, metadata, scheduled_at } = { ...done, metadata: null };
taken(await api.POST('/tasks', { body: { agent_id, description, input, metadata, scheduled_at } }));

// 5. Its history: what an event holds follows from its type.
for (const event of taken(await api.GET('/tasks/{id}/history', { params: { path } })).events) {
  if (event.type === 'task.created') assert.equal(event.data.agent_id, agent.id);
  if (event.type === 'task.completed') assert.equal(event.data.attempt, 1);
}

// 6. Its stream.
const stream = taken(await api.GET('/tasks/{id}/stream-response', { params: { path }, parseAs: 'stream' })) as ReadableStream<Uint8Array>;
const text = await new Response(stream).text();
assert.match(text, /^retry: 1000\n\n/);
assert.match(text, /event: done\ndata: /);

// 7. A batch in both forms.
const batch = taken(await api.POST('/batches', { body: { name: 'story', agent_id: 'echo', items: [{ description: 'a', metadata: null }] } }));
const lines = taken(await api.POST('/batches', {
  params: { query: { name: 'story', agent_id: 'echo' } }, headers: { 'Content-Type': 'application/x-ndjson' },
  body: '{"description":"a"}\n{"description":"b"}\n', bodySerializer: body => body as string,
}));
assert.equal(lines.counts.total, 2);

// 8. Its results, in the format that is accepted.
await until(async () => taken(await api.GET('/batches/{id}', { params: { path: { id: batch.id } } })), read => read.status === 'completed');
const csv = await api.GET('/batches/{id}/results', { params: { path: { id: batch.id } }, headers: { Accept: 'text/csv' }, parseAs: 'text' });
assert.match(csv.response.headers.get('Content-Type') ?? '', /^text\/csv/);

// 9. A workflow: which members a step or a condition has follows from its type.
const steps: Schemas['WorkflowStep'][] = [
  { id: 'ask', type: 'approval', title: 'May {{ input.who }}?', approvers: { roles: ['approver'] } },
  {
    id: 'which', type: 'choice', conditions: [
      { type: 'text_match', value: '{{ steps.ask.output.decision }}', text: 'approve', name: 'yes', steps: [
        { id: 'say', type: 'task', agent_id: 'echo', description: 'yes', rollback: { type: 'task', agent_id: 'echo', description: 'no' } },
      ] },
    ],
  },
];
const workflow = taken(await api.POST('/workflows', { body: { steps, input: { who: 'Ada' } } }));
const [first] = workflow.definition?.steps ?? [];
assert.ok(first?.type === 'approval' && first.title === 'May {{ input.who }}?');

// 10. The approver decides, and it goes on.
const gate = { id: workflow.id, gate_id: 'ask' };
await until(async () => (await approver.GET('/workflows/{id}/gates/{gate_id}', { params: { path: gate } })).response.status, status => status === 200);
const decided = taken(await approver.POST('/workflows/{id}/gates/{gate_id}/decisions', { params: { path: gate }, body: { decision: 'approve' } }));
assert.equal(decided.status, 'approved');
await until(async () => taken(await api.GET('/workflows/{id}', { params: { path: { id: workflow.id } } })), read => read.status === 'completed');

// 11. What is wrong is a problem of a known type.
const wrong = await api.GET('/tasks/{id}', { params: { path: { id: crypto.randomUUID() } } });
assert.equal(wrong.error?.type, 'urn:viral-engine:problem:not-found');
console.log('told');
