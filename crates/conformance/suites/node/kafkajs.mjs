// kafkajs.
import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import snappy from 'kafkajs-snappy'
import { BOOTSTRAP, check, exactlyOnce, main, range, restart, until } from './suite.mjs'

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs
CompressionCodecs[CompressionTypes.Snappy] = snappy

const kafka = new Kafka({
  brokers: [BOOTSTRAP],
  clientId: 'conformance',
  logLevel: logLevel.ERROR,
  retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 50 }
})
const admin = kafka.admin()
await admin.connect()

async function create (topic, numPartitions = 1, configEntries = []) {
  assert.equal(await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] }), true)
}

async function withProducer (options, body) {
  const producer = kafka.producer({ allowAutoTopicCreation: true, ...options })
  await producer.connect()
  try {
    return await body(producer)
  } finally {
    await producer.disconnect()
  }
}

let readers = 0

/** Every record of the topic, as messages by partition, up to its end at the time of the call. */
async function readAll (topic) {
  const ends = (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition)
  const got = ends.map(() => [])
  const wanted = ends.reduce((sum, end) => sum + Number(end.high) - Number(end.low), 0)
  const consumer = kafka.consumer({ groupId: `reader-${readers++}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let count = 0
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      got[partition].push(message)
      count += 1
    }
  })
  await until('end of every partition', () => count >= wanted, 60)
  await consumer.disconnect()
  return got
}

const numbers = got => got.map(messages => messages.map(message => Number(message.value)))

check('topics', async () => {
  await create('made', 3)
  const described = await admin.fetchTopicMetadata({ topics: ['made'] })
  assert.equal(described.topics[0].partitions.length, 3)
  assert.equal(await admin.createTopics({ topics: [{ topic: 'made' }] }), false)
  await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 5 }] })
  assert.equal((await admin.fetchTopicMetadata({ topics: ['made'] })).topics[0].partitions.length, 5)
  await admin.deleteTopics({ topics: ['made'] })
  await until('no topic', async () => !(await admin.listTopics()).includes('made'))
})

check('configs', async () => {
  const name = 'configured'
  await create(name, 1, [{ name: 'retention.ms', value: '3600000' }])
  const type = ConfigResourceTypes.TOPIC
  const value = async key => {
    const { resources } = await admin.describeConfigs({ resources: [{ type, name }], includeSynonyms: false })
    return resources[0].configEntries.find(entry => entry.configName === key).configValue
  }
  assert.equal(await value('retention.ms'), '3600000')
  const configEntries = [{ name: 'retention.ms', value: '7200000' }]
  await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] })
  assert.equal(await value('retention.ms'), '7200000')
})

check('cluster', async () => {
  const about = await admin.describeCluster()
  assert.equal(about.brokers.length, 1)
  assert.equal(about.controller, 1)
})

check('codecs', async () => {
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.Snappy]) {
    const topic = `codec-${compression}`
    await create(topic)
    await withProducer({}, async producer => {
      await producer.send({ topic, compression, messages: range(0, 300).map(n => ({ value: String(n) })) })
    })
    assert.deepEqual(numbers(await readAll(topic)), [range(0, 300)])
  }
})

check('headers', async () => {
  await create('headers')
  await withProducer({}, async producer => {
    await producer.send({
      topic: 'headers',
      messages: [
        { key: 'key', value: 'value', headers: { a: '1', empty: '' }, timestamp: '1700000000123' },
        { key: 'gone', value: null }
      ]
    })
  })
  const [[first, second]] = await readAll('headers')
  assert.equal(`${first.key} ${first.value} ${first.headers.a} [${first.headers.empty}] ${first.timestamp}`, 'key value 1 [] 1700000000123')
  assert.equal(String(second.key), 'gone')
  assert.equal(second.value, null)
})

check('seekByTime', async () => {
  await create('timed')
  const base = Date.now() - 100_000
  await withProducer({}, async producer => {
    const messages = range(0, 100).map(n => ({ value: String(n), timestamp: String(base + n * 100) }))
    await producer.send({ topic: 'timed', messages })
  })
  const [found] = await admin.fetchTopicOffsetsByTimestamp('timed', base + 4_950)
  assert.equal(found.offset, '50')
  const [end] = await admin.fetchTopicOffsetsByTimestamp('timed', base + 100_000_000)
  assert.equal(end.offset, '100')
})

check('deleteRecords', async () => {
  await create('trimmed')
  await withProducer({}, producer => producer.send({ topic: 'trimmed', messages: range(0, 10).map(n => ({ value: String(n) })) }))
  // It takes the leader from metadata that only another call fetches.
  await admin.fetchTopicOffsets('trimmed')
  await admin.deleteTopicRecords({ topic: 'trimmed', partitions: [{ partition: 0, offset: '4' }] })
  assert.deepEqual(numbers(await readAll('trimmed')), [range(4, 10)])
})

check('groups', async () => {
  const topic = 'shared'
  await create(topic, 4)
  const seen = []
  const sizes = {}
  const member = async name => {
    const consumer = kafka.consumer({ groupId: 'sharers', rebalanceTimeout: 5_000, heartbeatInterval: 200, maxWaitTimeInMs: 100 })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      sizes[name] = (payload.memberAssignment[topic] ?? []).length
    })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => { seen.push(Number(message.value)) } })
    return consumer
  }
  await withProducer({}, async producer => {
    const send = (from, to) =>
      producer.send({ topic, messages: range(from, to).map(n => ({ value: String(n), partition: n % 4 })) })
    await send(0, 80)
    const first = await member('first')
    await until('all records', () => sizes.first === 4 && seen.length >= 80)
    const second = await member('second')
    await until('even split', () => sizes.first === 2 && sizes.second === 2, 60)
    await send(80, 160)
    await until('the rest', () => seen.length >= 160)
    const described = await admin.describeGroups(['sharers'])
    assert.equal(`${described.groups[0].state} ${described.groups[0].members.length}`, 'Stable 2')
    await second.disconnect()
    await until('all partitions back', () => sizes.first === 4, 60)
    await first.disconnect()
  })
  assert.deepEqual([...seen].sort((a, b) => a - b), range(0, 160))
  assert.ok((await admin.listGroups()).groups.some(group => group.groupId === 'sharers'))
  const [committed] = await admin.fetchOffsets({ groupId: 'sharers', topics: [topic] })
  assert.deepEqual(committed.partitions.map(p => p.offset), ['40', '40', '40', '40'])
  await admin.setOffsets({ groupId: 'sharers', topic, partitions: [{ partition: 0, offset: '7' }] })
  const [moved] = await admin.fetchOffsets({ groupId: 'sharers', topics: [topic] })
  assert.equal(moved.partitions.find(p => p.partition === 0).offset, '7')
  await admin.deleteGroups(['sharers'])
  assert.ok(!(await admin.listGroups()).groups.some(group => group.groupId === 'sharers'))
})

check('walk', async () => {
  await create('walk', 3)
  await withProducer({ idempotent: true, maxInFlightRequests: 1 }, async producer => {
    let killed
    for (let from = 0; from < 6_000; from += 300) {
      if (from === 2_100) killed = restart()
      await producer.send({ topic: 'walk', messages: range(from, from + 300).map(n => ({ value: String(n), partition: n % 3 })) })
    }
    await killed
  })
  await restart()
  exactlyOnce(numbers(await readAll('walk')), [0, 1, 2].map(p => range(p, 6_000, 3)))
})

await main()
