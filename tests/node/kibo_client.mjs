// The vendor's client, unmodified, against a running Patron. Reads one JSON object of settings from the first line of
// standard input and then one line for each code that it asks for; writes one JSON object per line.
import readline from 'node:readline'
import rest from '@kibocommerce/rest-sdk'
import customer from '@kibocommerce/rest-sdk/clients/Customer/index.js'
import tenants from '@kibocommerce/rest-sdk/clients/Tenant/index.js'
import applications from '@kibocommerce/rest-sdk/clients/AppDevelopment/index.js'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => (await lines.next()).value
const say = (event) => console.log(JSON.stringify(event))
const settings = JSON.parse(await read())

const configure = (changes) => new rest.Configuration({ ...settings.configuration, ...changes })
const tickets = new customer.StorefrontAuthTicketApi(configure({}))
const platform = new tenants.TenantsApi(configure({}))
const code = async (name) => {
  say({ name, wants: 'code' })
  return await read()
}
const succeed = async (name, call) => say({ name, answer: (await call()) ?? null })
const fail = async (name, call) => {
  try {
    say({ name, answer: (await call()) ?? null })
  } catch (error) {
    say({
      name,
      error: error.name,
      message: error.message,
      code: error.apiError?.errorCode,
      status: error.response?.status,
      correlationId: error.response?.correlationId,
    })
  }
}

const { email, password } = settings
await succeed('tenant', () => platform.getTenant({ tenantId: settings.configuration.tenantId }))
const visit = await tickets.createAnonymousShopperAuthTicket()
say({ name: 'visit', answer: visit })
await succeed('visit refreshed', () => tickets.refreshUserAuthTicket({ refreshToken: visit.refreshToken }))

await succeed('code requested', () => tickets.generateAndSendOtp({ otpRequest: { email } }))
await fail('429', () => tickets.generateAndSendOtp({ otpRequest: { email } }))
const otpCode = await code('log-in')
const wrong = otpCode === '000000' ? '111111' : '000000'
const authTicketOtpInfo = { email, fingerprint: null, region: null }
await fail('401', () =>
  tickets.validateOtpAndCreateAuthTicket({ authTicketOtpInfo: { ...authTicketOtpInfo, otpCode: wrong } })
)
const ticket = await tickets.validateOtpAndCreateAuthTicket({ authTicketOtpInfo: { ...authTicketOtpInfo, otpCode } })
say({ name: 'ticket', answer: ticket })
const refreshed = await tickets.refreshUserAuthTicket({
  refreshToken: ticket.refreshToken,
  responseFields: 'accessToken,refreshToken,customerAccount(id,contacts(email))',
})
say({ name: 'refreshed', answer: refreshed })
await succeed('password', () =>
  tickets.createUserAuthTicket({ customerUserAuthInfo: { username: email, password }, responseFields: 'userId' })
)

// A second factor: the request of its code has no body of its own, so the id goes where a customer's token would.
say({ name: 'second factor', wants: 'policy' })
await read()
const due = await tickets.createUserAuthTicket({
  customerUserAuthInfo: { username: email, password, fingerprint: 'a new browser', region: 'DE' },
})
say({ name: 'due', answer: due })
await succeed('second code requested', () =>
  tickets.generateAndSend2faOtp({}, async ({ init }) => ({
    headers: { ...init.headers, 'x-vol-user-claims': due.userId },
  }))
)
const authTicket2FAInfo = { userId: due.userId, otpCode: await code('second factor') }
await succeed('completed', () => tickets.validate2FAAndCreateAuthTicket({ authTicket2FAInfo }))

// What goes wrong.
const stranger = new customer.StorefrontAuthTicketApi(configure({ accessToken: 'nonsense' }))
const impostor = new customer.StorefrontAuthTicketApi(configure({ clientId: 'nobody', sharedSecret: 'nothing' }))
const apps = new applications.AppAuthTicketsApi(configure({}))
const text = async ({ init }) => ({ headers: { ...init.headers, 'Content-Type': 'text/plain' } })
await fail('400', () => tickets.generateAndSendOtp({ otpRequest: { email: null } }))
await fail('400 site', () =>
  new customer.StorefrontAuthTicketApi(configure({ siteId: 99 })).createAnonymousShopperAuthTicket()
)
await fail('401 token', () => stranger.createAnonymousShopperAuthTicket())
await fail('401 refresh', () => tickets.refreshUserAuthTicket({ refreshToken: 'nonsense' }))
await fail('401 application', () => impostor.createAnonymousShopperAuthTicket())
await fail('404', () => platform.getTenant({ tenantId: 7 }))
await fail('404 path', () => tickets.impersonateCart({ cartAuthTicketRequest: {} }))
await fail('405', () => apps.deleteAppAuthTicket({ refreshToken: 'oauth' }))
await fail('413', () => tickets.generateAndSendOtp({ otpRequest: { email: 'x'.repeat(300000) } }))
await fail('415', () => tickets.generateAndSendOtp({ otpRequest: { email } }, text))
say({ name: 'broken', wants: 'broken rows' })
await read()
await fail('500', () => tickets.refreshUserAuthTicket({ refreshToken: refreshed.refreshToken }))
say({ name: 'away', wants: 'no key' })
await read()
await fail('503', () => tickets.refreshUserAuthTicket({ refreshToken: refreshed.refreshToken }))
process.exit(0)
