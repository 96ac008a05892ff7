// What all Node suites share: cases, deadlines, and the words to the runner (see src/main.rs).
import assert from 'node:assert/strict'
import readline from 'node:readline'

export const BOOTSTRAP = process.env.OUZEL_BOOTSTRAP
const cases = []
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()

class Skip extends Error {}

export function check (name, body) {
  cases.push({ name, body })
}

/** Has the broker killed and started again. */
export async function restart () {
  console.log('@restart')
  const { value } = await answers.next()
  if (value === 'no') throw new Skip("the broker isn't ours to kill")
  assert.equal(value, 'ok')
}

/** Calls `probe` until it says something true, and returns that. */
export async function until (what, probe, seconds = 30) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const got = await probe()
    if (got) return got
    if (Date.now() > end) throw new Error(`no ${what} after ${seconds} s`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** Each partition's records as read against those acknowledged; says what is amiss by its kind. */
export function exactlyOnce (got, want) {
  for (const [partition, sent] of want.entries()) {
    const read = got[partition]
    if (read.length === sent.length && read.every((value, index) => value === sent[index])) continue
    const set = new Set(read)
    const lost = sent.filter(value => !set.has(value)).length
    const kept = read.every((value, index) => index === 0 || read[index - 1] <= value)
    throw new Error(
      `partition ${partition}: ${sent.length} acknowledged, ${read.length} read, ${lost} lost, ` +
      `${read.length - set.size} duplicated, order ${kept ? 'kept' : 'broken'}`
    )
  }
}

export function range (from, to, step = 1) {
  const numbers = []
  for (let number = from; number < to; number += step) numbers.push(number)
  return numbers
}

export async function main () {
  const only = process.argv.slice(2)
  for (const { name, body } of cases) {
    if (only.length && !only.includes(name)) continue
    const began = Date.now()
    let timer
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('not done after 90 s')), 90_000)
    })
    try {
      await Promise.race([body(), late])
      console.log(`ok ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
    } catch (error) {
      if (error instanceof Skip) {
        console.log(`skip ${name}: ${error.message}`)
      } else {
        console.error(error)
        const causes = (error.errors ?? []).map(cause => cause.message).join('; ')
        console.log(`FAILED ${name}: ${`${error.name}: ${error.message} ${causes}`.replace(/\s+/g, ' ').slice(0, 600)}`)
      }
    }
    clearTimeout(timer)
  }
  process.exit(0)
}
