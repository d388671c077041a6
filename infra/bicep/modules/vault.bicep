import { texts } from 'types.bicep'

metadata description = 'Secrets of the app: each is optional here, so that a deployment without it keeps the one that is stored.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param vaultName string

@description('Deleted secrets stay for 90 days, and nobody can purge them sooner.')
param purgeProtection bool

@description('Whether the vault cannot be deleted before its lock is.')
param locked bool

@description('When secrets that are stored now end, in seconds since 1970; 0 for never. Somebody is told 30 days before.')
param expireAt int

@description('Whether a private endpoint is the only way in.')
param private bool

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

@description('Key that creates organizations; empty to keep the stored one.')
@secure()
param platformKey string

@description('Newest key of the ring that encrypts secrets of tenants; empty to keep the stored one.')
@secure()
param secretsKey string

@description('Key before the newest one, while a rotation is going on; empty to keep the stored one.')
@secure()
param previousSecretsKey string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    // Can be chosen only when the vault is made.
    softDeleteRetentionInDays: purgeProtection ? 90 : 7
    // Once on, it stays on, and "false" is refused.
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }
}

@description('What the secrets that are stored now have in common. One that has ended is still read: it is a reminder.')
var attributes = expireAt > 0 ? { exp: expireAt } : {}

// Written through Resource Manager, which needs no way into the vault's network.
resource platform 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(platformKey)) {
  parent: vault
  name: 'platform-key'
  properties: { value: platformKey, contentType: 'text/plain', attributes: attributes }
}

resource newest 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(secretsKey)) {
  parent: vault
  name: 'secrets-key-newest'
  properties: { value: secretsKey, contentType: 'text/plain', attributes: attributes }
}

resource previous 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(previousSecretsKey)) {
  parent: vault
  name: 'secrets-key-previous'
  properties: { value: previousSecretsKey, contentType: 'text/plain', attributes: attributes }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  scope: vault
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Without the key ring in here the secrets of tenants cannot be read. Delete this lock first, if you mean it.'
  }
}

#disable-next-line use-recent-api-versions
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Id of the vault.')
output vaultId string = vault.id

@description('Name of the vault.')
output vaultName string = vault.name

@description('Address of the vault.')
output vaultUri string = vault.properties.vaultUri
