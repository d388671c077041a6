// Drains an own queue of no-op jobs with pg-boss, each job settled by itself, and prints jobs a second for each of the
// settings: from starting the workers to the commit of the last completion.
// usage: node pg-boss.mjs COUNT    (the database by the PG* variables)
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { PgBoss } from 'pg-boss'

const queue = 'noop'
const chunk = 5000
const count = Number(process.argv[2])
const settings = [[8, 50], [8, 200], [4, 1000]].map(([localConcurrency, batchSize]) =>
  ({ localConcurrency, batchSize, perJobResults: true, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 }))

const db = new pg.Client()
await db.connect()

async function start () {
  const { PGUSER, PGPASSWORD, PGHOST, PGPORT, PGDATABASE } = process.env
  const connectionString = `postgres://${PGUSER}:${encodeURIComponent(PGPASSWORD)}@${PGHOST}:${PGPORT}/${PGDATABASE}`
  const boss = new PgBoss({ connectionString, max: 20, useListenNotify: true })
  boss.on('error', error => console.error('pg-boss:', error.message))
  await boss.start()
  return boss
}

async function drain (jobs, options) {
  await db.query('drop schema if exists pgboss cascade')
  const producer = await start()
  await producer.createQueue(queue, { notify: true })
  for (let i = 0; i < jobs; i += chunk) {
    await producer.insert(queue, Array.from({ length: Math.min(chunk, jobs - i) }, (_, k) => ({ data: { i: i + k } })))
  }
  await producer.stop()
  await db.query('checkpoint')

  let calls = 0
  const started = process.hrtime.bigint()
  const boss = await start()
  await boss.work(queue, options, async batch => {
    calls += batch.length
    return batch.map(({ id }) => ({ id, status: 'completed' }))
  })
  while (calls < jobs || (await db.query(`select from pgboss.job where name = '${queue}' and state <> 'completed' limit 1`)).rowCount > 0) {
    await sleep(5)
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  await boss.stop()
  return jobs / seconds
}

await drain(500, settings[0])
const trials = []
for (const options of settings) trials.push({ options, rate: await drain(Math.ceil(count / 5), options) })
const best = trials.reduce((a, b) => b.rate > a.rate ? b : a)
console.log(JSON.stringify({ jobs_per_second: await drain(count, best.options), settings: best.options }))
await db.end()
