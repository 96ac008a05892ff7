// @platformatic/kafka.
import assert from 'node:assert/strict'
import { Admin, Consumer, MessagesStreamModes, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { BOOTSTRAP, check, exactlyOnce, main, range, restart, until } from './suite.mjs'

const common = { clientId: 'conformance', bootstrapBrokers: [BOOTSTRAP], retries: 100, retryDelay: 100, timeout: 20_000 }
const admin = new Admin(common)
let readers = 0

const create = (topic, partitions = 1, configs = []) => admin.createTopics({ topics: [topic], partitions, replicas: 1, configs })

async function withProducer (options, body) {
  const producer = new Producer({ ...common, serializers: stringSerializers, autocreateTopics: true, ...options })
  try {
    return await body(producer)
  } finally {
    await producer.close()
  }
}

const consumer = (groupId = `reader-${readers++}`) =>
  new Consumer({ ...common, groupId, deserializers: stringDeserializers, maxWaitTime: 100, heartbeatInterval: 300, sessionTimeout: 10_000, rebalanceTimeout: 10_000 })

/** Every record of the topic, as messages by partition, up to its end at the time of the call. */
async function readAll (topic) {
  const reader = consumer()
  const earliest = (await reader.listOffsets({ topics: [topic], timestamp: -2n })).get(topic)
  const latest = (await reader.listOffsets({ topics: [topic], timestamp: -1n })).get(topic)
  const wanted = latest.reduce((sum, end, p) => sum + Number(end - earliest[p]), 0)
  const got = latest.map(() => [])
  const stream = await reader.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false })
  let count = 0
  stream.on('data', message => {
    got[message.partition].push(message)
    count += 1
  })
  await until('end of every partition', () => count >= wanted, 60)
  await stream.close()
  await reader.close(true)
  return got
}

const numbers = got => got.map(messages => messages.map(message => Number(message.value)))

check('topics', async () => {
  const [made] = await create('made', 3, [{ name: 'retention.ms', value: '3600000' }])
  assert.equal(`${made.name} ${made.partitions}`, 'made 3')
  await assert.rejects(create('made'))
  assert.ok((await admin.listTopics()).includes('made'))
  await admin.createPartitions({ topics: [{ name: 'made', count: 5, assignments: null }] })
  await admin.deleteTopics({ topics: ['made'] })
  await until('no topic', async () => !(await admin.listTopics()).includes('made'))
})

check('configs', async () => {
  await create('configured', 1, [{ name: 'retention.ms', value: '3600000' }])
  const value = async key => {
    const resources = [{ resourceType: 2, resourceName: 'configured', configurationKeys: null }]
    const [found] = await admin.describeConfigs({ resources, includeSynonyms: false, includeDocumentation: false })
    return found.configs.find(config => config.name === key).value
  }
  assert.equal(await value('retention.ms'), '3600000')
  const configs = [{ name: 'retention.ms', configOperation: 0, value: '7200000' }]
  await admin.incrementalAlterConfigs({ resources: [{ resourceType: 2, resourceName: 'configured', configs }] })
  assert.equal(await value('retention.ms'), '7200000')
})

check('codecs', async () => {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4']) {
    const topic = `codec-${compression}`
    await create(topic)
    await withProducer({ compression }, producer =>
      producer.send({ messages: range(0, 300).map(n => ({ topic, value: String(n) })) }))
    assert.deepEqual(numbers(await readAll(topic)), [range(0, 300)])
  }
})

check('headers', async () => {
  await create('headers')
  await withProducer({}, producer =>
    producer.send({ messages: [{ topic: 'headers', key: 'key', value: 'value', headers: { a: '1', empty: '' }, timestamp: 1700000000123n }] }))
  const [[message]] = await readAll('headers')
  const { key, value, headers, timestamp } = message
  assert.equal(`${key} ${value} ${headers.get('a')} [${headers.get('empty')}] ${timestamp}`, 'key value 1 [] 1700000000123')
})

check('seekByTime', async () => {
  await create('timed')
  const base = Date.now() - 100_000
  await withProducer({}, producer =>
    producer.send({ messages: range(0, 100).map(n => ({ topic: 'timed', value: String(n), timestamp: BigInt(base + n * 100) })) }))
  const reader = consumer()
  const found = await reader.listOffsetsWithTimestamps({ topics: ['timed'], timestamp: BigInt(base + 4_950) })
  await reader.close(true)
  assert.equal(found.get('timed').get(0).offset, 50n)
})

check('groups', async () => {
  await create('shared', 2)
  await withProducer({}, async producer => {
    const send = (from, to) =>
      producer.send({ messages: range(from, to).map(n => ({ topic: 'shared', value: String(n), partition: n % 2 })) })
    await send(0, 50)
    for (const [from, to] of [[0, 50], [50, 100]]) {
      const seen = []
      const reader = consumer('sharers')
      const stream = await reader.consume({ topics: ['shared'], mode: 'committed', fallbackMode: 'earliest', autocommit: true })
      stream.on('data', message => seen.push(Number(message.value)))
      await until('records', () => seen.length >= to - from)
      await stream.close()
      await reader.close(true)
      assert.deepEqual(seen.sort((a, b) => a - b), range(from, to))
      if (from === 0) await send(50, 100)
    }
  })
  const reader = consumer('sharers')
  const committed = await reader.listCommittedOffsets({ topics: [{ topic: 'shared', partitions: [0, 1] }] })
  await reader.close(true)
  assert.deepEqual(committed.get('shared'), [50n, 50n])
  assert.ok((await admin.listGroups()).has('sharers'))
  const group = (await admin.describeGroups({ groups: ['sharers'] })).get('sharers')
  assert.equal(group.state, 'EMPTY')
  await admin.deleteGroups({ groups: ['sharers'] })
  assert.ok(!(await admin.listGroups()).has('sharers'))
})

check('walk', async () => {
  await create('walk', 3)
  await withProducer({ idempotent: true, acks: -1 }, async producer => {
    let killed
    for (let from = 0; from < 6_000; from += 300) {
      if (from === 2_100) killed = restart()
      await producer.send({ messages: range(from, from + 300).map(n => ({ topic: 'walk', value: String(n), partition: n % 3 })) })
    }
    await killed
  })
  await restart()
  exactlyOnce(numbers(await readAll('walk')), [0, 1, 2].map(p => range(p, 6_000, 3)))
})

await main()
