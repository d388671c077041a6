metadata description = 'Every role of every identity, from one list; each is given on the one resource that needs it.'

@description('The list.')
param roles role[]

@description('Name of the storage account; empty when no role needs it.')
param storageAccountName string

@description('Name of the storage account of packages.')
param packagesAccountName string

@description('Name of the vault; empty when no role needs it.')
param vaultName string

@description('Name of the Application Insights component; empty when no role needs it.')
param componentName string

@description('Name of the Durable Task scheduler; empty when no role needs it.')
param schedulerName string

@description('One role of one identity.')
@export()
type role = {
  @description('Name of the identity, which names the assignment: known before anything is deployed, so that what-if shows it.')
  identityName: string

  @description('Object id of the identity.')
  principalId: string

  @description('Name of a built-in role, as below.')
  name: roleName

  @description('Kind of resource that the role is given on.')
  on: 'storage' | 'packages' | 'vault' | 'component' | 'scheduler'
}

@description('Built-in roles that are in use here.')
type roleName =
  | 'Storage Blob Data Owner'
  | 'Storage Blob Data Contributor'
  | 'Storage Queue Data Contributor'
  | 'Storage Table Data Contributor'
  | 'Key Vault Secrets User'
  | 'Monitoring Metrics Publisher'
  | 'Durable Task Data Contributor'

@description('Ids of the built-in roles, the same in every tenant.')
var roleIds = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
  'Durable Task Data Contributor': '0ad04412-c4d5-4796-b79c-f76d14c8d402'
}

@description('The list by kind of resource, since a role is given through a resource of known type.')
var byKind = groupBy(roles, r => r.on)

resource storage 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: storageAccountName
}

resource packages 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: packagesAccountName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' existing = {
  name: schedulerName
}

resource onStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for r in (byKind.?storage ?? []): {
    name: guid(storage.id, r.identityName, roleIds[r.name])
    scope: storage
    properties: {
      principalId: r.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[r.name])
    }
  }
]

resource onPackages 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for r in (byKind.?packages ?? []): {
    name: guid(packages.id, r.identityName, roleIds[r.name])
    scope: packages
    properties: {
      principalId: r.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[r.name])
    }
  }
]

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for r in (byKind.?vault ?? []): {
    name: guid(vault.id, r.identityName, roleIds[r.name])
    scope: vault
    properties: {
      principalId: r.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[r.name])
    }
  }
]

resource onComponent 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for r in (byKind.?component ?? []): {
    name: guid(component.id, r.identityName, roleIds[r.name])
    scope: component
    properties: {
      principalId: r.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[r.name])
    }
  }
]

resource onScheduler 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for r in (byKind.?scheduler ?? []): {
    name: guid(scheduler.id, r.identityName, roleIds[r.name])
    scope: scheduler
    properties: {
      principalId: r.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[r.name])
    }
  }
]
